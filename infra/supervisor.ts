import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../shared/errors.ts';
import { describeExit, logOf, startProcess, untilReady, type ProcessSpec, type RunningProcess } from './process.ts';
import type { Progress } from './servers/install.ts';

/** Milliseconds between a crash and the restart: doubled with each crash that follows, up to the last. */
const BACKOFF = { first: 500, last: 30_000 };

/** Milliseconds that a process must have run for its crash to count as the first again. */
const CALM = 60_000;

/** Milliseconds that a service has to become ready. */
const READY = 60_000;

export interface Supervised {
  readonly name: string;
  /** Process that runs at the moment, if one does. */
  current(): RunningProcess | undefined;
  /** Port of /metrics and /healthz of the current process, once it is ready. */
  http(): number | undefined;
  /** Ends the process and restarts it no more. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  readonly progress: Progress;
  /** Called whenever a process was started or became ready. */
  readonly changed: () => void;
  /** Milliseconds that a stopping process may take. */
  readonly grace: number;
}

/**
 * Starts a service, waits until it is ready, and from then on restarts it whenever it ends by itself.
 * @throws PermanentError `not-ready` when it does not become ready the first time: that is its configuration's fault, and repeating would hide it.
 */
export async function supervise(spec: ProcessSpec, { progress, changed, grace }: SupervisorOptions): Promise<Supervised> {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let current: RunningProcess | undefined;
  let http: number | undefined;

  const start = async (): Promise<RunningProcess> => {
    http = undefined;
    const child = await startProcess(spec);
    current = child;
    changed();
    return child;
  };
  const becomeReady = async (child: RunningProcess): Promise<void> => {
    http = await untilReady(child, READY, async () => readyPort(await logOf(child)));
    changed();
  };
  /** Watches a process and its successors; the delay grows while they end quickly. */
  const watch = async (first: RunningProcess): Promise<void> => {
    let delay = BACKOFF.first;
    for (let child = first; ;) {
      const begun = Date.now();
      const exit = await child.exited;
      if (isStopping()) return;
      if (Date.now() - begun > CALM) delay = BACKOFF.first;
      progress(`${spec.name} ended (${describeExit(exit)}) and is restarted in ${delay / 1000} s; its log: ${spec.log}`);
      await sleep(delay, undefined, { signal: stopping.signal });
      delay = Math.min(delay * 2, BACKOFF.last);
      child = await start();
      if (isStopping()) {
        await child.stop(grace); // told to stop while this one was started
        return;
      }
      becomeReady(child).catch((error: unknown) => {
        if (!isStopping()) progress(messageOf(error));
      });
    }
  };

  let watching = Promise.resolve();
  const first = await start();
  const supervised: Supervised = {
    name: spec.name,
    current: () => current,
    http: () => http,
    stop: async () => {
      stopping.abort();
      await current?.stop(grace);
      await watching;
    },
  };
  try {
    await becomeReady(first);
  } catch (error) {
    await supervised.stop();
    throw error;
  }
  watching = watch(first).catch((error: unknown) => {
    if (!isStopping()) progress(`${spec.name} cannot be restarted: ${messageOf(error)}`);
  });
  return supervised;
}

/** The port that a service's log tells in its `service:ready` line. */
export function readyPort(log: string): number | undefined {
  for (const line of log.split('\n')) {
    if (!line.includes('"service:ready"')) continue;
    const { http } = JSON.parse(line) as { http?: number };
    return http;
  }
  return undefined;
}
