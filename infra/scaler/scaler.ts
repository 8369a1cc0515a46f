import { setTimeout as sleep } from 'node:timers/promises';
import type { RegimeSettings } from '../../schemas/generated/types.ts';
import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import type { BusConfig } from '../../shared/config/config.ts';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import type { AnyStage } from '../../shared/pipeline/stage.ts';
import type { ProcessSpec } from '../process/process.ts';
import type { ProgressReporter } from '../process/progress.ts';
import type { SupervisedService } from '../process/supervisor.ts';
import { decide, dueAt, initialState, type Decision, type Rules } from './decide.ts';
import { createScaleEventLog, type ScaleEventLog } from './scale-event-log.ts';
import { fetchStageLag, type StageLag } from './lag.ts';
import { createReplicas, type Replicas } from './replicas.ts';

export interface ScalerOptions {
  readonly stages: readonly AnyStage[];
  readonly settings: RegimeSettings;
  readonly hpa: Pick<Rules, 'hpa_sync_s' | 'tolerance'>;
  /** Of one who may read consumers and messages. */
  readonly bus: BusConfig;
  /** Where `scale.jsonl` is written. */
  readonly dataDir: string;
  /** How a replica of a stage is started, which works on one item at a time. */
  spec(stage: string, number: number): ProcessSpec;
  readonly progress: ProgressReporter;
  /** Called whenever a replica was started, became ready or is gone. */
  readonly changed: () => void;
  /** Seconds in which a replica that is to go may finish its item. */
  readonly drain_s: number;
}

/** Runs stages with as many replicas as their lag asks for, as KEDA does (decide.ts). */
export interface Scaler {
  /** Starts the replicas that always run and, when they are ready, scaling. @throws PermanentError `not-ready`. */
  start(): Promise<void>;
  /** Every replica's process. */
  running(): readonly SupervisedService[];
  /** Ends scaling and every replica. @param grace Milliseconds after which items under way are given back. */
  stop(grace: number): Promise<void>;
}

/** Milliseconds that the replicas which always run may take to become ready. */
const READY = 60_000;

export function createScaler(options: ScalerOptions): Scaler {
  const { stages, settings, hpa, dataDir, drain_s } = options;
  const journal = createScaleEventLog(dataDir);
  const stopping = new AbortController();
  const scaled = stages.map((stage) => {
    const spec = (number: number): ProcessSpec => options.spec(stage.name, number);
    const replicas = createReplicas({ ...options, stage: stage.name, spec, journal, drain: drain_s * 1_000 });
    return { stage, replicas, rules: { ...rulesOf(settings, stage.name), ...hpa } };
  });
  const running = (): SupervisedService[] => scaled.flatMap(({ replicas }) => replicas.running());
  let bus: Bus | undefined;
  let loops: Promise<unknown> = Promise.resolve();
  return {
    running,
    start: async () => {
      const connected = (bus = await connectBus(options.bus, 'scaler'));
      const cause = { decided: Date.now(), waited: 0 };
      await Promise.all(scaled.map(({ replicas, rules }) => replicas.scaleTo(rules.min, cause)));
      await untilAllReady(running);
      const about = { bus: connected, journal, progress: options.progress, signal: stopping.signal };
      // One after the other within an interval: the operators of different stages have nothing in common.
      const delay = (index: number): number => (index / scaled.length) * settings.polling_s * 1_000;
      loops = Promise.all(scaled.map((each, index) => keepScaling({ ...each, ...about }, delay(index))));
    },
    stop: async (grace) => {
      stopping.abort();
      await loops;
      await Promise.all(scaled.map(({ replicas }) => replicas.close(grace)));
      await bus?.close();
      await journal.written();
    },
  };
}

function rulesOf({ polling_s, stages }: RegimeSettings, stage: string): Omit<Rules, keyof ScalerOptions['hpa']> {
  const scaling = stages[stage];
  if (!scaling) throw new PermanentError('no-scaling', `the regime says nothing about ${stage}`);
  return { ...scaling, polling_s };
}

async function untilAllReady(running: () => readonly SupervisedService[]): Promise<void> {
  const end = Date.now() + READY;
  for (;;) {
    const waiting = running().filter((service) => service.http() === undefined);
    if (waiting.length === 0) return;
    if (Date.now() > end)
      throw new PermanentError(
        'not-ready',
        `${waiting.map(({ name }) => name).join(', ')} not ready within ${READY / 1_000} s: see their logs`,
      );
    await sleep(50);
  }
}

interface Scaled {
  readonly stage: AnyStage;
  readonly rules: Rules;
  readonly replicas: Replicas;
  readonly bus: Bus;
  readonly journal: ScaleEventLog;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

/** Looks and acts until told to stop. @param delay Milliseconds before the first look. */
async function keepScaling({ stage, rules, replicas, bus, journal, progress, signal }: Scaled, delay: number): Promise<void> {
  let state = initialState(rules, Date.now() + delay);
  let told = '';

  const act = async ({ lag, from, to, reason }: Decision, waiting: StageLag): Promise<void> => {
    const decided = Date.now();
    journal.write({ stage: stage.name, event: 'decision', from, to, lag, reason });
    const oldest = to > from ? await waiting.oldest() : undefined;
    await replicas.scaleTo(to, { decided, waited: oldest === undefined ? 0 : Math.max(0, decided - oldest) });
  };
  const step = async (): Promise<void> => {
    const waiting = await fetchStageLag(bus, stage);
    const decided = decide(rules, state, waiting.lags, Date.now());
    for (const decision of decided.decisions) await act(decision, waiting);
    state = decided.state; // not before it is done: what failed is decided again
    await replicas.look();
  };
  /** @returns Whether to go on. */
  const pause = async (milliseconds: number): Promise<boolean> => {
    await sleep(Math.max(0, milliseconds), undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  };
  while (await pause(dueAt(state) - Date.now())) {
    try {
      await step();
      told = '';
    } catch (error) {
      // As KEDA: where the lag is not known, nothing is changed.
      const what = messageOf(error);
      if (what !== told) progress(`${stage.name} is not scaled at the moment: ${what}`);
      told = what;
      await pause(rules.polling_s * 1_000);
    }
  }
}
