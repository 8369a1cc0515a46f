import type { Receipt } from '../../../schemas/generated/types.ts';
import type { Item } from '../../pipeline/stage.ts';
import type { Attempt } from './attempt.ts';
import { CancelledError } from './cancellations.ts';
import { findMemo, type MemoLookup } from './memo.ts';
import { isReceiptValid, readReceipt } from './receipt.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

export interface PriorResult {
  /** Valid receipt of this very item. */
  readonly receipt?: Receipt | undefined;
  /** Absent if the request disables the memo. */
  readonly memo?: MemoLookup | undefined;
}

/** Looks for results of earlier work. The three lookups run in parallel, because most items are new. @throws CancelledError */
export async function findPriorResult(
  { store, cancellations }: Pick<WorkerDependencies, 'store' | 'cancellations'>,
  attempt: Attempt,
  item: Item,
): Promise<PriorResult> {
  const { landed, abort } = attempt;
  const [receipt, isCancelled, memo] = await Promise.all([
    readReceipt(store, attempt),
    cancellations.isCancelled(landed.request_id, landed.run, abort.signal),
    findMemo(store, attempt, item),
  ]);
  if (isCancelled) throw new CancelledError(landed.request_id);
  return { receipt: receipt && isReceiptValid(receipt, attempt) ? receipt : undefined, memo };
}
