import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Environment } from '../access/environment.ts';
import type { Ports } from '../deployment/ports.ts';
import type { RegimeName } from '../deployment/regimes.ts';
import type { ProgressReporter } from '../process/progress.ts';

export interface LaunchOptions {
  /** Absolute path. */
  readonly dataDir: string;
  readonly ports: Ports;
  readonly graph: Graph;
  /** Names of the services to run. */
  readonly services: readonly string[];
  readonly env: Environment;
  readonly progress: ProgressReporter;
  /** Regime by which the stages are scaled. Without a regime each stage runs once. */
  readonly regime?: RegimeName;
  /** Aborts the start between two steps. */
  readonly signal?: AbortSignal;
}
