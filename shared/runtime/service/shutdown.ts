import { setMaxListeners } from 'node:events';

/**
 * Milliseconds that a process which has settled its work gives to what is still to be written: less than there is between the end of
 * its grace and SIGKILL.
 */
const LAST = 5_000;

/** The end of what a process writes beside its work: log lines, notes, state files. */
export interface Shutdown {
  /** For such writes, which wait for a store that is away as long as the process runs. */
  readonly signal: AbortSignal;
  /** Waits for the last of them, for {@link LAST} in all and not for each. */
  wait(last: Promise<unknown>): Promise<void>;
}

export function createShutdown(): Shutdown {
  const end = new AbortController();
  // Every write listens; more than ten are no leak.
  setMaxListeners(0, end.signal);
  return {
    signal: end.signal,
    async wait(last) {
      const timer = setTimeout(() => {
        end.abort(new Error('the process ends'));
      }, LAST);
      try {
        await last;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
