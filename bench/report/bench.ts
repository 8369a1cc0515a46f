import type { BenchResult } from './figures.ts';
import type { ProgressReporter } from '../../infra/process/progress.ts';

export interface BenchOptions {
  /** Number of repetitions. The benchmark defines the repeated unit. */
  readonly n: number;
  /** Name or path of a Whisper model, for benchmarks with {@link Bench.model}. */
  readonly model?: string;
  /** One of {@link Bench.workloads}; all if it is absent. */
  readonly only?: string;
  readonly progress: ProgressReporter;
}

export interface Bench {
  readonly name: string;
  /** Measured quantity, in one line. */
  readonly about: string;
  /** Default number of repetitions. */
  readonly n: number;
  /** Default Whisper model; absent if the benchmark does not transcribe. */
  readonly model?: string;
  /** Names of its workloads, if it can measure one alone. */
  readonly workloads?: readonly string[];
  run(options: BenchOptions): Promise<BenchResult>;
}
