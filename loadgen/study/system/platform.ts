import type { Cell, RegimeSettings, ScaleEvent } from '../../../schemas/generated/types.ts';
import type { BusConfig, StoreConfig } from '../../../shared/config/config.ts';
import type { RegimeName } from '../../../infra/deployment/regimes.ts';

/** Replicas of a service. */
export interface ReplicaCount {
  /** Number of running replicas. */
  readonly replicas: number;
  readonly ready: number;
  /** Resident memory of all replicas, in MB (10⁶ bytes). */
  readonly rss_mb: number;
}

/** A running system under a regime. */
export interface RunningSystem {
  readonly settings: RegimeSettings;
  /** Access as administrator. */
  readonly store: StoreConfig;
  readonly bus: BusConfig;
  /** Returns the replicas of each service with at least one, by name. */
  replicas(): Promise<Readonly<Record<string, ReplicaCount>>>;
  /** Returns the processor time since start, in ms, including servers and tools. */
  cpuTime(): Promise<number>;
  /** Returns all scale events since start. */
  scaleEvents(): Promise<ScaleEvent[]>;
  /** Checks that the system is running. @throws PermanentError `system-gone`. */
  assertRunning(): Promise<void>;
  /** Stops the system and removes its data. */
  stop(): Promise<void>;
}

/** Platform of a study. */
export interface Platform {
  readonly name: Cell['platform'];
  /** Starts a system without data. @throws FaveError if the system does not become ready. */
  start(regime: RegimeName): Promise<RunningSystem>;
  /** Returns the versions of the components. */
  versions(): Promise<Record<string, string>>;
}
