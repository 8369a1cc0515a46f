import type { RegimeSettings, StageScaling } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { computeItemTimeoutSeconds } from '../../shared/runtime/attempt/deadline.ts';

/**
 * Scaling settings of the stages. The local scaler and the Kubernetes manifests are both derived from them. The relay and the
 * tracker run once in every regime.
 */

interface Regime {
  readonly about: string;
  /** Interval between two polls of the lag, in seconds: KEDA's pollingInterval. */
  readonly polling_s: number;
  readonly scaling: Pick<StageScaling, 'min' | 'max' | 'idle_s'>;
  /** Exceptions, by stage. */
  readonly except: Readonly<Record<string, Partial<Regime['scaling']>>>;
}

/** Resources of a replica. A replica works on one item at a time. */
interface Size {
  readonly scaling: Pick<StageScaling, 'lag_target' | 'memory_mb'>;
  /** CPU request in cores. The scheduler places pods by it, and a cluster autoscaler adds nodes by it. */
  readonly cores: number;
}

/** Stages whose tools use all cores, or load a model for seconds. A second item per replica would only wait. */
const HEAVY: Size = { scaling: { lag_target: 1, memory_mb: 1_024 }, cores: 1 };

/** Default size; `sizes` has the exceptions. Both apply in every regime. */
const size: Size = { scaling: { lag_target: 2, memory_mb: 512 }, cores: 0.25 };
const sizes: Readonly<Record<string, Size>> = {
  'stage-deepspeech': HEAVY,
  'stage-ffmpeg-3': HEAVY,
  'stage-object-detector': HEAVY,
};

const sizeOf = (stage: string): Size => sizes[stage] ?? size;

/** Returns the CPU request of a replica of a stage, in cores. */
export const coresOf = (stage: string): number => sizeOf(stage).cores;

/** Minimum for stages that process clips: a burst of uploads multiplies there. */
const FAN_OUT = { min: 2 };

export const regimes = {
  cold: {
    about: 'no replicas without items: lowest cost, highest latency',
    polling_s: 2,
    scaling: { min: 0, max: 3, idle_s: 5 },
    except: {},
  },
  warm: {
    about: 'one idle replica per stage',
    polling_s: 2,
    scaling: { min: 1, max: 3, idle_s: 60 },
    except: {},
  },
  'burst-ready': {
    about: 'capacity for bursts of uploads, kept for five minutes',
    polling_s: 2,
    scaling: { min: 1, max: 4, idle_s: 300 },
    except: {
      'stage-deepspeech': FAN_OUT,
      'stage-ffmpeg-3': FAN_OUT,
      'stage-object-detector': FAN_OUT,
    },
  },
} as const satisfies Readonly<Record<string, Regime>>;

export type RegimeName = keyof typeof regimes;

export const regimeNames = Object.keys(regimes) as RegimeName[];

/**
 * Settings of the horizontal pod autoscaler, to which KEDA delegates scaling above one replica. Both are defaults of
 * kube-controller-manager: `--horizontal-pod-autoscaler-sync-period` and `--horizontal-pod-autoscaler-tolerance`.
 */
export const hpa = { hpa_sync_s: 15, tolerance: 0.1 };

/**
 * Upload size for which the drain time is computed, in bytes: one hour of video. Items of larger uploads, or with a longer
 * `item-timeout`, are redelivered to another replica if the drain ends first.
 */
export const DRAINED_UPLOAD = 825e6;

/**
 * Time that a replica may take to finish its item on scale-down, in seconds. It becomes FAVE_GRACE_SECONDS and is shorter than
 * terminationGracePeriodSeconds.
 */
export const DRAIN_SECONDS = computeItemTimeoutSeconds(DRAINED_UPLOAD);

/** Returns the scaling settings of a regime for every stage of a graph. */
export function regimeSettings(name: RegimeName, { stages }: Graph): RegimeSettings {
  const { polling_s, scaling, except }: Regime = regimes[name];
  const of = (stage: string): StageScaling => ({ ...scaling, ...except[stage], ...sizeOf(stage).scaling });
  return { polling_s, stages: Object.fromEntries(stages.map((stage) => [stage.name, of(stage.name)])) };
}

/** Returns the stages that the settings name. A test checks that the graph has them. */
export function stagesWithOverrides(): string[] {
  const all: readonly Regime[] = Object.values(regimes);
  return [...Object.keys(sizes), ...all.flatMap(({ except }) => Object.keys(except))];
}
