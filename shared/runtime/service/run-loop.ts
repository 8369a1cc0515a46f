import { setTimeout as sleep } from 'node:timers/promises';

export interface LoopOptions {
  readonly intervalMs: number;
  readonly initialDelayMs?: number;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Runs a task until `signal` aborts, with a pause of `intervalMs` after each run. The loop continues after an error. */
export async function runLoop(
  task: () => Promise<void>,
  { intervalMs, initialDelayMs = 0, signal, onError }: LoopOptions,
): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  await pause(initialDelayMs);
  while (!signal.aborted) {
    await task().catch((error: unknown) => {
      if (!signal.aborted) onError(error);
    });
    await pause(intervalMs);
  }
}
