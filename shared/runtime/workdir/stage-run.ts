import type { LandedMessage, Receipt } from '../../../schemas/generated/types.ts';
import type { OptionMap } from '../../core/options.ts';
import type { Logger } from '../../observability/log.ts';
import type { SpanHandle } from '../../observability/trace.ts';
import type { LoadedStage } from '../../pipeline/stage.ts';
import type { InputIdentity } from './identify-input.ts';

/** Inputs of one run of a stage on one item, and the record of its results. */
export interface StageRun {
  readonly stage: LoadedStage;
  readonly landed: Readonly<LandedMessage>;
  readonly itemId: string;
  /** Options of the request that the stage declares, with defaults. */
  readonly options: OptionMap;
  readonly log: Logger;
  /** Parent of the spans of tools; outputs carry its trace context. */
  readonly span: SpanHandle;
  /** Ends the run: deadline, cancellation, or the end of the grace period. */
  readonly abort: AbortController;
  readonly record: RunRecord;
}

/** Results of a run so far. A failed run keeps its partial results here for the receipt. */
export interface RunRecord {
  identity?: InputIdentity;
  readonly outputs: ReceiptOutput[];
  readonly tools: Receipt['tools'];
  readonly models: Record<string, string>;
  /** Request whose outputs were copied. */
  reusedFrom?: string;
}

export type ReceiptOutput = Receipt['outputs'][number];

/** Returns the time since `startedAt` on the process's monotonic clock, in milliseconds, to one decimal place. */
export function millisecondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 10) / 10;
}
