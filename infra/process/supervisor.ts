import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/core/errors.ts';
import type { ServiceMessage } from '../../shared/runtime/service/service.ts';
import { describeExit, notReadyError, startProcess, type ProcessSpec, type RunningProcess } from './process.ts';
import type { ProgressReporter } from './progress.ts';

/** Delay between a crash and the restart, in milliseconds. It doubles with each further crash. */
const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/** Uptime after which the next crash starts with the shortest delay again. */
const STABLE_UPTIME_MS = 60_000;

const READY_TIMEOUT_MS = 60_000;

/** How a process that runs one or more services is started. */
export interface ServiceProcessSpec extends Omit<ProcessSpec, 'onMessage'> {
  /** Services that the process runs. It is ready when all of them have sent their ready message. */
  readonly services: readonly string[];
}

export interface SupervisedProcess {
  readonly name: string;
  readonly services: readonly string[];
  /** Returns the current process, or undefined between a crash and the restart. */
  current(): RunningProcess | undefined;
  /** Returns the port of /metrics and /healthz of a service, by default the first, once it is ready. */
  http(service?: string): number | undefined;
  /** Stops the process for good. @param graceMs Grace period, in milliseconds; by default that of the options. */
  stop(graceMs?: number): Promise<void>;
}

/** State change of a process, or a message of one of its services. Times are milliseconds since the epoch. */
export type ProcessChange =
  | { readonly type: 'started' | 'ready' | 'crashed'; readonly time: number }
  | { readonly type: 'message'; readonly message: ServiceMessage };

export interface SupervisorOptions {
  readonly progress: ProgressReporter;
  readonly onChange: (change: ProcessChange, child: RunningProcess) => void;
  /** Grace period of a stop, in milliseconds. */
  readonly graceMs: number;
  /** Returns once the process is started, and restarts it even if it never becomes ready. */
  readonly background?: boolean;
}

/** A started process and the state of its services. */
interface Started {
  readonly child: RunningProcess;
  readonly ports: ReadonlyMap<string, number>;
  /** Resolves when all services are ready. */
  readonly ready: Promise<unknown>;
}

/**
 * Starts a process, waits until its services are ready, and restarts it whenever it exits.
 * @throws PermanentError `not-ready` if it does not become ready the first time. The cause is its configuration, so a restart would not help.
 */
export async function supervise(spec: ServiceProcessSpec, options: SupervisorOptions): Promise<SupervisedProcess> {
  const { progress, onChange, graceMs, background = false } = options;
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let current: Started | undefined;

  const start = async (): Promise<Started> => {
    const ports = new Map<string, number>();
    const { promise: ready, resolve } = Promise.withResolvers();
    const receive = (message: ServiceMessage): void => {
      onChange({ type: 'message', message }, child);
      if (message.type !== 'ready') return;
      ports.set(message.service, message.http);
      if (ports.size < spec.services.length) return;
      onChange({ type: 'ready', time: message.time }, child);
      resolve(undefined);
    };
    const child = await startProcess({ ...spec, onMessage: (message) => receive(message as ServiceMessage) });
    current = { child, ports, ready };
    onChange({ type: 'started', time: Date.now() }, child);
    return current;
  };
  /** Watches a process and its successors. The delay grows while they exit soon or cannot be started. */
  const watch = async (first: Started): Promise<void> => {
    let delay = MIN_BACKOFF_MS;
    const restart = async (reason: string): Promise<Started> => {
      progress(`${reason}; restarting it in ${delay / 1000} s; its log: ${spec.log}`);
      await sleep(delay, undefined, { signal: stopping.signal });
      delay = Math.min(delay * 2, MAX_BACKOFF_MS);
      return start().catch((error: unknown) => restart(messageOf(error)));
    };
    for (let started = first; ;) {
      const { child } = started;
      const startTime = Date.now();
      const exit = await child.exited;
      current = undefined;
      if (isStopping()) return;
      onChange({ type: 'crashed', time: Date.now() }, child);
      if (Date.now() - startTime > STABLE_UPTIME_MS) delay = MIN_BACKOFF_MS;
      started = await restart(`${spec.name} exited (${describeExit(exit)})`);
      if (isStopping()) {
        await started.child.stop(graceMs); // stopped during the restart
        return;
      }
      reportIfNotReady(started);
    }
  };
  const reportIfNotReady = (started: Started): void => {
    waitUntilServicesReady(started).catch((error: unknown) => {
      if (!isStopping()) progress(messageOf(error));
    });
  };

  let watching = Promise.resolve();
  const first = await start();
  const supervised: SupervisedProcess = {
    name: spec.name,
    services: spec.services,
    current: () => current?.child,
    http: (service = spec.services[0] ?? '') => current?.ports.get(service),
    stop: async (within = graceMs) => {
      stopping.abort();
      await current?.child.stop(within);
      await watching;
    },
  };
  if (background) reportIfNotReady(first);
  else {
    try {
      await waitUntilServicesReady(first);
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

/** @throws PermanentError `not-ready` when the process exits or the timeout has passed. */
async function waitUntilServicesReady({ child, ready }: Started): Promise<void> {
  const timeout = new AbortController();
  const failure = await Promise.race([
    ready.then(() => undefined),
    child.exited,
    sleep(READY_TIMEOUT_MS, READY_TIMEOUT_MS, { signal: timeout.signal, ref: false }),
  ]);
  timeout.abort();
  if (failure !== undefined) throw await notReadyError(child, failure);
}
