import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/core/errors.ts';
import { describeExit, logOf, startProcess, untilReady, type ProcessSpec, type RunningProcess } from './process.ts';
import type { ProgressReporter } from './progress.ts';

/** Milliseconds between a crash and the restart: doubled with each crash that follows, up to the last. */
const BACKOFF = { first: 500, last: 30_000 };

/** Milliseconds that a process must have run for its crash to count as the first again. */
const CALM = 60_000;

/** Milliseconds that a service has to become ready. */
const READY = 60_000;

export interface SupervisedService {
  readonly name: string;
  /** Process that runs at the moment, if one does. */
  current(): RunningProcess | undefined;
  /** Port of /metrics and /healthz of the current process, once it is ready. */
  http(): number | undefined;
  /** Ends the process and restarts it no more. @param grace Milliseconds that it may take, if not as long as others. */
  stop(grace?: number): Promise<void>;
}

export type ServiceChange = 'started' | 'ready' | 'crashed';

export interface SupervisorOptions {
  readonly progress: ProgressReporter;
  /** Called with each process that was started, became ready or ended by itself. */
  readonly changed: (change: ServiceChange, child: RunningProcess, time: Date) => void;
  /** Milliseconds that a stopping process may take. */
  readonly grace: number;
  /** Returns as soon as the process is started, and restarts it even if it never becomes ready. */
  readonly patient?: boolean;
}

/**
 * Starts a service, waits until it is ready, and from then on restarts it whenever it ends by itself.
 * @throws PermanentError `not-ready` when it does not become ready the first time: that is its configuration's fault, and repeating would hide it.
 */
export async function supervise(spec: ProcessSpec, options: SupervisorOptions): Promise<SupervisedService> {
  const { progress, changed, grace, patient = false } = options;
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let current: RunningProcess | undefined;
  let http: number | undefined;

  const start = async (): Promise<RunningProcess> => {
    http = undefined;
    const child = await startProcess(spec);
    current = child;
    changed('started', child, new Date());
    return child;
  };
  const becomeReady = async (child: RunningProcess): Promise<void> => {
    const ready = await untilReady(child, READY, async () => readyLine(await logOf(child)));
    http = ready.http;
    changed('ready', child, new Date(ready.timestamp));
  };
  const sayIfNotReady = (child: RunningProcess): void => {
    becomeReady(child).catch((error: unknown) => {
      if (!isStopping()) progress(messageOf(error));
    });
  };
  /** Watches a process and its successors; the delay grows while they end quickly or cannot be started. */
  const watch = async (first: RunningProcess): Promise<void> => {
    let delay = BACKOFF.first;
    const startAgain = async (why: string): Promise<RunningProcess> => {
      progress(`${why}; it is started again in ${delay / 1000} s; its log: ${spec.log}`);
      await sleep(delay, undefined, { signal: stopping.signal });
      delay = Math.min(delay * 2, BACKOFF.last);
      return start().catch((error: unknown) => startAgain(messageOf(error)));
    };
    for (let child = first; ;) {
      const begun = Date.now();
      const exit = await child.exited;
      if (isStopping()) return;
      changed('crashed', child, new Date());
      if (Date.now() - begun > CALM) delay = BACKOFF.first;
      child = await startAgain(`${spec.name} ended (${describeExit(exit)})`);
      if (isStopping()) {
        await child.stop(grace); // told to stop while this one was started
        return;
      }
      sayIfNotReady(child);
    }
  };

  let watching = Promise.resolve();
  const first = await start();
  const supervised: SupervisedService = {
    name: spec.name,
    current: () => current,
    http: () => http,
    stop: async (within = grace) => {
      stopping.abort();
      await current?.stop(within);
      await watching;
    },
  };
  if (patient) sayIfNotReady(first);
  else {
    try {
      await becomeReady(first);
    } catch (error) {
      await supervised.stop();
      throw error;
    }
  }
  watching = watch(first).catch((error: unknown) => {
    if (!isStopping()) progress(`${spec.name} cannot be restarted: ${messageOf(error)}`);
  });
  return supervised;
}

/** What a service's log says when it is ready: since when, and its port. */
export function readyLine(log: string): { http: number; timestamp: string } | undefined {
  const line = log.split('\n').find((each) => each.includes('"service:ready"') && each.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as { http: number; timestamp: string });
}
