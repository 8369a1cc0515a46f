import { setMaxListeners } from 'node:events';

/** Time limit for the last writes of a process whose items are settled (ms). It is shorter than the time between the end of the grace period and SIGKILL. */
const SHUTDOWN_TIMEOUT_MS = 5_000;

/** Limits the time that a stopping process spends on writes beside its items: log lines, memo entries, state files. */
export interface Shutdown {
  /** Signal for such writes. It aborts after the time limit; until then they wait for a store that is away. */
  readonly signal: AbortSignal;
  /** Waits for the last writes, 5 s in total. */
  wait(writes: Promise<unknown>): Promise<void>;
}

export function createShutdown(): Shutdown {
  const controller = new AbortController();
  // One listener per write: more than ten do not indicate a leak.
  setMaxListeners(0, controller.signal);
  return {
    signal: controller.signal,
    async wait(writes) {
      const timer = setTimeout(() => {
        controller.abort(new Error('the process is exiting'));
      }, SHUTDOWN_TIMEOUT_MS);
      try {
        await writes;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
