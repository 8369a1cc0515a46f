import { setTimeout as sleep } from 'node:timers/promises';
import type { RegimeSettings } from '../../schemas/generated/types.ts';
import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import type { BusConfig } from '../../shared/config/config.ts';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import type { AnyStage } from '../../shared/pipeline/stage.ts';
import type { ProgressReporter } from '../process/progress.ts';
import type { ServiceProcessSpec, SupervisedProcess } from '../process/supervisor.ts';
import { decide, dueAt, initialState, type Decision, type Rules } from './decide.ts';
import { fetchStageLag, type StageLag } from './lag.ts';
import { createReplicas, type Replicas } from './replicas.ts';
import { createScaleEventLog, type ScaleEventLog } from './scale-event-log.ts';

export interface ScalerOptions {
  readonly stages: readonly AnyStage[];
  readonly settings: RegimeSettings;
  readonly hpa: Pick<Rules, 'hpa_sync_s' | 'tolerance'>;
  /** Connection settings of a user that may read consumers and messages. */
  readonly bus: BusConfig;
  /** Directory of `scale.jsonl`. */
  readonly dataDir: string;
  /** Returns how a replica of a stage is started. A replica works on one item at a time. */
  spec(stage: string, number: number): ServiceProcessSpec;
  readonly progress: ProgressReporter;
  /** Called whenever a replica was started, became ready or has gone. */
  readonly onChange: () => void;
  /** Time that a replica may take to finish its item when it is scaled down, in seconds. */
  readonly drainSeconds: number;
}

/** Runs as many replicas of each stage as its lag requires, by the rules of KEDA (see decide.ts). */
export interface Scaler {
  /** Starts the minimum of replicas, waits until they are ready, and starts scaling. @throws PermanentError `not-ready`. */
  start(): Promise<void>;
  /** Returns the processes of all replicas. */
  running(): readonly SupervisedProcess[];
  /** Stops scaling and all replicas. @param graceMs Time until running items are returned to the queue, in milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/** Timeout for the first replicas to become ready, in milliseconds. */
const READY_TIMEOUT_MS = 60_000;

export function createScaler(options: ScalerOptions): Scaler {
  const { stages, settings, hpa, dataDir, drainSeconds } = options;
  const events = createScaleEventLog(dataDir);
  const stopping = new AbortController();
  const scaled = stages.map((stage) => {
    const spec = (number: number): ServiceProcessSpec => options.spec(stage.name, number);
    const replicas = createReplicas({ ...options, stage: stage.name, spec, events, drainMs: drainSeconds * 1_000 });
    return { stage, replicas, rules: { ...rulesOf(settings, stage.name), ...hpa } };
  });
  const running = (): SupervisedProcess[] => scaled.flatMap(({ replicas }) => replicas.running());
  let bus: Bus | undefined;
  let loops: Promise<unknown> = Promise.resolve();
  return {
    running,
    start: async () => {
      const connected = (bus = await connectBus(options.bus, 'scaler'));
      const cause = { decided: Date.now(), waited: 0 };
      await Promise.all(scaled.map(({ replicas, rules }) => replicas.scaleTo(rules.min, cause)));
      await waitUntilAllReady(running);
      const common = { bus: connected, events, progress: options.progress, signal: stopping.signal };
      // The polls of the stages are spread over the interval, as those of independent operators would be.
      const delay = (index: number): number => (index / scaled.length) * settings.polling_s * 1_000;
      loops = Promise.all(scaled.map((each, index) => scaleUntilAborted({ ...each, ...common }, delay(index))));
    },
    stop: async (graceMs) => {
      stopping.abort();
      await loops;
      await Promise.all(scaled.map(({ replicas }) => replicas.close(graceMs)));
      await bus?.close();
      await events.written();
    },
  };
}

function rulesOf({ polling_s, stages }: RegimeSettings, stage: string): Omit<Rules, keyof ScalerOptions['hpa']> {
  const scaling = stages[stage];
  if (!scaling) throw new PermanentError('no-scaling', `the regime has no settings for ${stage}`);
  return { ...scaling, polling_s };
}

async function waitUntilAllReady(running: () => readonly SupervisedProcess[]): Promise<void> {
  const end = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const waiting = running().filter((process) => process.http() === undefined);
    if (waiting.length === 0) return;
    if (Date.now() > end)
      throw new PermanentError(
        'not-ready',
        `${waiting.map(({ name }) => name).join(', ')} not ready within ${READY_TIMEOUT_MS / 1_000} s: see their logs`,
      );
    await sleep(50);
  }
}

interface ScaledStage {
  readonly stage: AnyStage;
  readonly rules: Rules;
  readonly replicas: Replicas;
  readonly bus: Bus;
  readonly events: ScaleEventLog;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

/** Polls the lag and scales until `signal` aborts. @param delayMs Delay of the first poll, in milliseconds. */
async function scaleUntilAborted(scaled: ScaledStage, delayMs: number): Promise<void> {
  const { stage, rules, replicas, bus, events, progress, signal } = scaled;
  let state = initialState(rules, Date.now() + delayMs);
  let reported = '';

  const apply = async ({ lag, from, to, reason }: Decision, stageLag: StageLag): Promise<void> => {
    const decided = Date.now();
    events.write({ stage: stage.name, event: 'decision', from, to, lag, reason });
    const oldest = to > from ? await stageLag.oldest() : undefined;
    await replicas.scaleTo(to, { decided, waited: oldest === undefined ? 0 : Math.max(0, decided - oldest) });
  };
  const step = async (): Promise<void> => {
    const stageLag = await fetchStageLag(bus, stage);
    const decided = decide(rules, state, stageLag.lags, Date.now());
    for (const decision of decided.decisions) await apply(decision, stageLag);
    state = decided.state; // only after all decisions are applied: a failed one is repeated
  };
  /** Returns whether to continue. */
  const pause = async (milliseconds: number): Promise<boolean> => {
    await sleep(Math.max(0, milliseconds), undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  };
  while (await pause(dueAt(state) - Date.now())) {
    try {
      await step();
      reported = '';
    } catch (error) {
      // Like KEDA, the scaler keeps the replicas while the lag is unknown.
      const reason = messageOf(error);
      if (reason !== reported) progress(`cannot scale ${stage.name}: ${reason}`);
      reported = reason;
      await pause(rules.polling_s * 1_000);
    }
  }
}
