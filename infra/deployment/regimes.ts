import type { RegimeSettings, StageScaling } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { computeItemTimeoutSeconds } from '../../shared/runtime/attempt/deadline.ts';

/**
 * The one place of the numbers by which stages are scaled: the local scaler and the manifests of Kubernetes both come from
 * here. The relay and the tracker run once in every regime.
 */

interface Regime {
  readonly about: string;
  /** Seconds between two looks at the lag: KEDA's pollingInterval. */
  readonly polling_s: number;
  readonly scaling: Pick<StageScaling, 'min' | 'max' | 'idle_s'>;
  /** By stage, where it is otherwise. */
  readonly except: Readonly<Record<string, Partial<Regime['scaling']>>>;
}

/** A replica, which works on one item at a time. */
interface Size {
  readonly scaling: Pick<StageScaling, 'lag_target' | 'memory_mb'>;
  /** Cores that Kubernetes keeps for it: by these it finds a node, and an autoscaler of nodes adds one. */
  readonly cores: number;
}

/** Stages whose tools take all cores, or seconds and a model; a second item would only wait. */
const HEAVY: Size = { scaling: { lag_target: 1, memory_mb: 1_024 }, cores: 1 };

/** In every regime, by stage; a stage that is not named has `size`. */
const size: Size = { scaling: { lag_target: 2, memory_mb: 512 }, cores: 0.25 };
const sizes: Readonly<Record<string, Size>> = {
  'stage-ffmpeg-2': HEAVY,
  'stage-deepspeech': HEAVY,
  'stage-object-detector': HEAVY,
};

const sizeOf = (stage: string): Size => sizes[stage] ?? size;

/** Cores that Kubernetes keeps for a replica of a stage. */
export const coresOf = (stage: string): number => sizeOf(stage).cores;

/** Replicas of the stages that work clip by clip, where a burst of uploads arrives multiplied. */
const FAN_OUT = { min: 2 };

export const regimes = {
  cold: {
    about: 'nothing runs that has no work: the cheapest when idle, the slowest to answer',
    polling_s: 2,
    scaling: { min: 0, max: 3, idle_s: 5 },
    except: {},
  },
  warm: {
    about: 'one replica of each stage waits',
    polling_s: 2,
    scaling: { min: 1, max: 3, idle_s: 60 },
    except: {},
  },
  'burst-ready': {
    about: 'room for many uploads at once, kept for five minutes after they were needed',
    polling_s: 2,
    scaling: { min: 1, max: 4, idle_s: 300 },
    except: {
      'stage-ffmpeg-2': FAN_OUT,
      'stage-deepspeech': FAN_OUT,
      'stage-ffmpeg-3': FAN_OUT,
      'stage-object-detector': FAN_OUT,
    },
  },
} as const satisfies Readonly<Record<string, Regime>>;

export type RegimeName = keyof typeof regimes;

export const regimeNames = Object.keys(regimes) as RegimeName[];

/**
 * The horizontal pod autoscaler, which KEDA leaves everything above the first replica to.
 * Both are kube-controller-manager's defaults: `--horizontal-pod-autoscaler-sync-period`, `--horizontal-pod-autoscaler-tolerance`.
 */
export const hpa = { hpa_sync_s: 15, tolerance: 0.1 };

/**
 * The largest upload of which a replica that is to go surely finishes its item, bytes: one hour. There is no largest upload; an item of a
 * larger one, or of a request with a longer `item-timeout`, that is not done by then is given back to another replica, not lost.
 */
export const DRAINED_UPLOAD = 825e6;

/** Seconds in which a replica that is to go may finish its item (FAVE_GRACE_SECONDS, and less than terminationGracePeriodSeconds): the longest that it may take. */
export const DRAIN_SECONDS = computeItemTimeoutSeconds(DRAINED_UPLOAD);

/** A regime's numbers for every stage of a graph; a stage that no exception names has the regime's own. */
export function regimeSettings(name: RegimeName, { stages }: Graph): RegimeSettings {
  const { polling_s, scaling, except }: Regime = regimes[name];
  const of = (stage: string): StageScaling => ({ ...scaling, ...except[stage], ...sizeOf(stage).scaling });
  return { polling_s, stages: Object.fromEntries(stages.map((stage) => [stage.name, of(stage.name)])) };
}

/** Every stage that a number above names: a test holds that they are stages of the graph. */
export function stagesWithOverrides(): string[] {
  const all: readonly Regime[] = Object.values(regimes);
  return [...Object.keys(sizes), ...all.flatMap(({ except }) => Object.keys(except))];
}
