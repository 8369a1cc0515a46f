import type { Receipt } from '../../../schemas/generated/types.ts';
import { announce, createLandedMessage } from '../../bus/landed-message.ts';
import { parseKey, requestPrefix } from '../../pipeline/keys.ts';
import { commonMetadata } from '../workdir/outputs.ts';
import type { Attempt } from './attempt.ts';
import type { AttemptResult } from './attempt-result.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/**
 * Announces the outputs of a settled item again, in case the worker that wrote the receipt was lost before their announcement.
 * The result is `skipped`, or the recorded failure, whose dead letter may be missing for the same reason.
 */
export async function reannounceOutputs(
  { bus, store }: Pick<WorkerDependencies, 'bus' | 'store'>,
  attempt: Attempt,
  receipt: Receipt,
): Promise<AttemptResult> {
  const { landed, stage, abort, record } = attempt;
  record.outputs.push(...receipt.outputs);
  for (const { announced, key, etag, size, sha256, attributes } of receipt.outputs) {
    const object = announced && parseKey(requestPrefix(landed.request_id) + key, stage.produces);
    if (!object) continue;
    const message = createLandedMessage({ ...object, etag, size }, { ...commonMetadata(attempt), attributes, sha256 });
    await announce(bus, store.bucket, message, { signal: abort.signal });
  }
  return receipt.error ? { outcome: 'failed', error: receipt.error, hasReceipt: true } : { outcome: 'skipped' };
}
