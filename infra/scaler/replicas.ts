import { setTimeout as sleep } from 'node:timers/promises';
import { logOf, type ProcessSpec, type RunningProcess } from '../process/process.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { supervise, type ServiceChange, type SupervisedService } from '../process/supervisor.ts';
import { coldStartOf, type Cause } from './cold-start.ts';
import type { ScaleEventLog } from './scale-event-log.ts';
import { sortForScaleDown } from './scale-down-order.ts';

export interface ReplicasOptions {
  readonly stage: string;
  /** How a replica is started; `number` is its place, from 1, and taken again after it has gone. */
  spec(number: number): ProcessSpec;
  readonly journal: ScaleEventLog;
  readonly progress: ProgressReporter;
  /** Called whenever a replica was started, became ready or is gone. */
  readonly changed: () => void;
  /** Milliseconds in which a replica that is to go may finish its item. */
  readonly drain: number;
}

/** The processes of one stage. */
export interface Replicas {
  /** Starts or stops as many as it takes; resolves when those that are to go have been told, not when they are gone. */
  scaleTo(wanted: number, cause: Cause): Promise<void>;
  /** Every process that is there, those that are finishing their item as well. */
  running(): readonly SupervisedService[];
  /** Notes the first item of replicas that have begun it since the last look. */
  look(): Promise<void>;
  /** Stops all. @param grace Milliseconds after which items under way are given back. */
  close(grace: number): Promise<void>;
}

interface Replica {
  readonly number: number;
  readonly service: SupervisedService;
  /** Its process's. */
  current(): Start | undefined;
  /** Set when it is told to go: resolves when it is gone. */
  gone?: Promise<void>;
}

/** A process of a replica: each restart is another one. */
interface Start {
  readonly replica: string;
  readonly cause: Cause;
  readonly child: RunningProcess;
}

/** Milliseconds from giving items back to the end of a process. */
const LAST_WORDS = 5_000;

export function createReplicas(options: ReplicasOptions): Replicas {
  const { stage, journal, progress, changed, drain } = options;
  const replicas = new Set<Replica>();
  /** Processes whose first item has not been seen. */
  const fresh = new Set<Start>();
  let started = 0;

  const lookAt = async (start: Start): Promise<void> => {
    const found = coldStartOf(await logOf(start.child), start.cause);
    if (found && fresh.delete(start)) journal.write({ stage, event: 'first-item', replica: start.replica, ...found });
  };

  const start = async (number: number, cause: Cause): Promise<void> => {
    let current: Start | undefined;
    const note = (change: ServiceChange, child: RunningProcess, time: Date): void => {
      if (change === 'started') {
        started += 1;
        // Started again after a crash, it is nobody's decision that is waited for.
        current = { replica: `${stage}-${started}`, cause: current ? { decided: Date.now(), waited: 0 } : cause, child };
        fresh.add(current);
      }
      if (!current) return;
      journal.write({ time: time.toISOString(), stage, event: change, replica: current.replica });
      if (change === 'crashed') fresh.delete(current);
      changed();
    };
    const service = await supervise(options.spec(number), { progress, changed: note, grace: drain, patient: true });
    replicas.add({ number, service, current: () => current });
  };

  const stop = (replica: Replica): void => {
    const current = replica.current();
    const about = { stage, replica: current?.replica ?? stage };
    journal.write({ ...about, event: 'stopping' });
    replica.gone = replica.service.stop(drain).then(async () => {
      if (current) {
        await lookAt(current);
        fresh.delete(current);
      }
      replicas.delete(replica);
      journal.write({ ...about, event: 'stopped' });
      changed();
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
    running: () => [...replicas].map(({ service }) => service),
    look: async () => {
      await Promise.all([...fresh].map(lookAt));
    },
    close: async (grace) => {
      staying().forEach(stop);
      const all = [...replicas];
      const drained = new AbortController();
      const gone = Promise.all(all.flatMap((replica) => (replica.gone ? [replica.gone] : []))).finally(() => {
        drained.abort();
      });
      await sleep(grace, undefined, { signal: drained.signal }).catch(() => undefined);
      // Told a second time, they give their items back.
      await Promise.all([...replicas].map(({ service }) => service.stop(LAST_WORDS)));
      await gone;
    },
  };
}

function freeNumber(taken: readonly Replica[]): number {
  const numbers = new Set(taken.map(({ number }) => number));
  let free = 1;
  while (numbers.has(free)) free += 1;
  return free;
}
