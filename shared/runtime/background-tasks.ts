import { messageOf } from '../core/errors.ts';
import type { Logger } from '../observability/log.ts';

/** Delay before scheduled tasks start, so that they do not compete with the item (ms). */
const SCHEDULE_DELAY_MS = 300;

/** Tasks beside the items. A failed task is logged; a process waits for its tasks before it exits. */
export interface BackgroundTasks {
  /** Starts a task immediately. @param consequence Logged if the task fails. */
  start(task: () => Promise<void>, consequence: string): void;
  /** Starts a task after a short delay. */
  schedule(task: () => Promise<void>, consequence: string): void;
  /** Starts the scheduled tasks immediately; resolves when all tasks have ended. */
  drain(): Promise<void>;
}

export function createBackgroundTasks(log: Logger): BackgroundTasks {
  const running = new Set<Promise<void>>();
  const scheduled = new Map<NodeJS.Timeout, () => void>();

  const start: BackgroundTasks['start'] = (task, consequence) => {
    const done: Promise<void> = task()
      .catch((error: unknown) => {
        log.warn({ event: 'background:failed', error }, `${messageOf(error)}: ${consequence}`);
      })
      .finally(() => running.delete(done));
    running.add(done);
  };

  return {
    start,
    schedule(task, consequence) {
      const run = (): void => {
        scheduled.delete(timer);
        start(task, consequence);
      };
      const timer = setTimeout(run, SCHEDULE_DELAY_MS);
      scheduled.set(timer, run);
    },
    async drain() {
      for (const [timer, run] of scheduled) {
        clearTimeout(timer);
        run();
      }
      await Promise.all(running);
    },
  };
}
