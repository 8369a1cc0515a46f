import type { BenchResult } from './figures.ts';
import type { ProgressReporter } from '../../infra/process/progress.ts';

export interface BenchOptions {
  /** How often: what that counts is the benchmark's own. */
  readonly n: number;
  readonly progress: ProgressReporter;
}

export interface Bench {
  readonly name: string;
  /** What is measured, in one line. */
  readonly about: string;
  /** How often by default. */
  readonly n: number;
  run(options: BenchOptions): Promise<BenchResult>;
}
