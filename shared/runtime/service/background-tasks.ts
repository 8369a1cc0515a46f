import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../observability/log.ts';

/** Milliseconds that work which nobody waits for lets the item's own go first. */
const LATER = 300;

/** Work beside the items: it may fail without harm, and a process that ends waits for it. */
export interface BackgroundTasks {
  /** Does it at once. @param harm What follows if it fails. */
  now(work: () => Promise<void>, harm: string): void;
  /** Does it in a moment, when the item that it belongs to is settled. */
  later(work: () => Promise<void>, harm: string): void;
  /** Does what is waiting, and resolves when all is done. */
  finish(): Promise<void>;
}

export function createBackgroundTasks(log: Logger): BackgroundTasks {
  const running = new Set<Promise<void>>();
  const waiting = new Map<NodeJS.Timeout, () => void>();

  const now: BackgroundTasks['now'] = (work, harm) => {
    const done: Promise<void> = work()
      .catch((error: unknown) => {
        log.warn({ event: 'background:failed', error }, `${messageOf(error)}: ${harm}`);
      })
      .finally(() => running.delete(done));
    running.add(done);
  };

  return {
    now,
    later(work, harm) {
      const start = (): void => {
        waiting.delete(timer);
        now(work, harm);
      };
      const timer = setTimeout(start, LATER);
      waiting.set(timer, start);
    },
    async finish() {
      for (const [timer, start] of waiting) {
        clearTimeout(timer);
        start();
      }
      await Promise.all(running);
    },
  };
}
