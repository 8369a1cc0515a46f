import type { Cell, RegimeSettings, ScaleEvent } from '../../../schemas/generated/types.ts';
import type { BusConfig, StoreConfig } from '../../../shared/config/config.ts';
import type { RegimeName } from '../../../infra/deployment/regimes.ts';

/** Replicas of a service at a moment. */
export interface ReplicaCount {
  /** Started and not gone. */
  readonly replicas: number;
  readonly ready: number;
  /** Of all of them, 10⁶ bytes. */
  readonly rss_mb: number;
}

/** A FAVE of its own that runs in a regime. */
export interface RunningSystem {
  readonly settings: RegimeSettings;
  /** An administrator's access. */
  readonly store: StoreConfig;
  readonly bus: BusConfig;
  /** Of every service that has replicas, by name. */
  replicas(): Promise<Readonly<Record<string, ReplicaCount>>>;
  /** Processor time that it has used since its start, servers and tools included, milliseconds. */
  cpuTime(): Promise<number>;
  /** What its scaling has done so far. */
  scaleEvents(): Promise<ScaleEvent[]>;
  /** @throws PermanentError `system-gone` where it does not run any more. */
  assertRunning(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/** Where a study runs. */
export interface Platform {
  readonly name: Cell['platform'];
  /** Starts a system without data. @throws Fault where it does not become ready. */
  start(regime: RegimeName): Promise<RunningSystem>;
  /** Names and versions of what it is made of. */
  versions(): Promise<Record<string, string>>;
}
