import type { Bus } from '../../bus/connection.ts';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../observability/log.ts';
import type { LoadedStage } from '../../pipeline/stage.ts';
import type { BackgroundTasks } from '../background-tasks.ts';
import type { Metrics } from '../service/metrics.ts';
import type { RequestLog } from '../service/request-log.ts';
import type { ReadRequest } from '../request-cache.ts';
import type { StageDependencies } from '../workdir/run-stage.ts';
import type { Cancellations } from './cancellations.ts';

/** Everything that the attempts of a worker share. */
export interface WorkerDependencies extends StageDependencies {
  readonly stage: LoadedStage;
  readonly config: Config;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly requestLog: RequestLog;
  readonly readRequest: ReadRequest;
  readonly cancellations: Cancellations;
  readonly background: BackgroundTasks;
  /** Aborts at the end of the grace period: running items are released. */
  readonly killSignal: AbortSignal;
  /** Aborts when the writes of background tasks must end. */
  readonly shutdownSignal: AbortSignal;
  /** When the worker was ready, on the process's monotonic clock (ms). */
  readonly readyAt: number;
  /** Called when the first item starts. @param queueMs Time that it waited, in milliseconds. */
  readonly firstItem: (queueMs: number) => void;
  /** Returns true on the first call only. */
  readonly takeColdStart: () => boolean;
}
