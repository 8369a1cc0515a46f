import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressReporter } from '../process/progress.ts';
import { supervise, type ProcessChange, type ServiceProcessSpec, type SupervisedProcess } from '../process/supervisor.ts';
import { computeColdStart, type Cause } from './cold-start.ts';
import type { ReadyMessage } from '../../shared/runtime/service/service.ts';
import type { ScaleEventLog } from './scale-event-log.ts';
import { sortForScaleDown } from './scale-down-order.ts';

export interface ReplicasOptions {
  readonly stage: string;
  /**
   * Returns how a replica is started. @param number Number of the replica, starting at 1; reused after the replica has gone.
   */
  spec(number: number): ServiceProcessSpec;
  readonly events: ScaleEventLog;
  readonly progress: ProgressReporter;
  /** Called whenever a replica was started, became ready or has gone. */
  readonly onChange: () => void;
  /** Time that a replica may take to finish its item when it is scaled down, in milliseconds. */
  readonly drainMs: number;
}

/** The processes of one stage. */
export interface Replicas {
  /** Starts or stops replicas. Resolves when surplus replicas have been signalled, not when they have exited. */
  scaleTo(wanted: number, cause: Cause): Promise<void>;
  /** Returns all processes, including those that finish their item before they exit. */
  running(): readonly SupervisedProcess[];
  /** Stops all replicas. @param graceMs Time until running items are returned to the queue, in milliseconds. */
  close(graceMs: number): Promise<void>;
}

interface Replica {
  readonly number: number;
  readonly process: SupervisedProcess;
  /** Returns the name of the current process: each restart has a new one. */
  name(): string;
  /** Set on scale-down; resolves when the replica has exited. */
  gone?: Promise<void>;
}

/** Time from the return of the items to the exit of a process, in milliseconds. */
const EXIT_TIMEOUT_MS = 5_000;

export function createReplicas(options: ReplicasOptions): Replicas {
  const { stage, events, progress, drainMs } = options;
  const replicas = new Set<Replica>();
  let startCount = 0;

  const start = async (number: number, cause: Cause): Promise<void> => {
    let name: string | undefined;
    let ready: ReadyMessage | undefined;
    let causeOfStart = cause;
    const onChange = (change: ProcessChange): void => {
      if (change.type === 'message') {
        const { message } = change;
        if (message.type === 'ready') ready = message;
        else if (ready) {
          const cold_start = computeColdStart(ready, message, causeOfStart);
          events.write({ time: toTime(message.time), stage, event: 'first-item', replica: name ?? stage, cold_start });
        }
        return;
      }
      if (change.type === 'started') {
        // A restart after a crash has no decision to wait for.
        if (name !== undefined) causeOfStart = { decided: change.time, waited: 0 };
        startCount += 1;
        name = `${stage}-${startCount}`;
      }
      events.write({ time: toTime(change.time), stage, event: change.type, replica: name ?? stage });
      options.onChange();
    };
    const process = await supervise(options.spec(number), { progress, onChange, graceMs: drainMs, background: true });
    replicas.add({ number, process, name: () => name ?? stage });
  };

  const stop = (replica: Replica): void => {
    const replicaName = replica.name();
    events.write({ stage, event: 'stopping', replica: replicaName });
    replica.gone = replica.process.stop(drainMs).then(() => {
      replicas.delete(replica);
      events.write({ stage, event: 'stopped', replica: replicaName });
      options.onChange();
    });
  };

  const staying = (): Replica[] => [...replicas].filter(({ gone }) => gone === undefined);

  return {
    scaleTo: async (wanted, cause) => {
      const surplus = staying().length - wanted;
      const order = surplus > 0 ? await sortForScaleDown(staying()) : [];
      for (const replica of order.slice(0, surplus)) stop(replica);
      for (let missing = -surplus; missing > 0; missing -= 1) await start(freeNumber([...replicas]), cause);
    },
    running: () => [...replicas].map(({ process }) => process),
    close: async (graceMs) => {
      staying().forEach(stop);
      const all = [...replicas];
      const drained = new AbortController();
      const gone = Promise.all(all.flatMap((replica) => (replica.gone ? [replica.gone] : []))).finally(() => {
        drained.abort();
      });
      await sleep(graceMs, undefined, { signal: drained.signal }).catch(() => undefined);
      // A second signal makes them return their items to the queue.
      await Promise.all([...replicas].map(({ process }) => process.stop(EXIT_TIMEOUT_MS)));
      await gone;
    },
  };
}

function toTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function freeNumber(taken: readonly Replica[]): number {
  const numbers = new Set(taken.map(({ number }) => number));
  let free = 1;
  while (numbers.has(free)) free += 1;
  return free;
}
