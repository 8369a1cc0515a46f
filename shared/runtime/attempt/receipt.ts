import { hostname } from 'node:os';
import type { ItemError, Receipt } from '../../../schemas/generated/types.ts';
import { metadataPaths, requestPrefix } from '../../pipeline/keys.ts';
import type { Store } from '../../store/store.ts';
import { parseJson } from '../../core/validate.ts';
import { millisecondsSince } from '../workdir/stage-run.ts';
import type { Attempt } from './attempt.ts';
import { pathOfLanded } from './item-event.ts';

/** Returns the receipt of a settled item. Its duration ends now. */
export function toReceipt(attempt: Attempt, error?: ItemError): Receipt {
  const { stage, landed, itemId, config, delivery, record, startedOn, startedAt } = attempt;
  const { kind, etag } = landed;
  const sha256 = record.identity?.sha256 ?? landed.sha256;
  return {
    stage: stage.name,
    version: stage.version,
    item: itemId,
    run: landed.run,
    sequence: delivery.sequence,
    source: { kind, key: pathOfLanded(landed), etag, ...(sha256 !== undefined && { sha256 }) },
    config: config.values,
    config_hash: config.hash,
    outcome: error ? 'failed' : 'done',
    ...(record.reusedFrom !== undefined && { reused: record.reusedFrom }),
    outputs: record.outputs,
    ...(error && { error }),
    tools: record.tools,
    models: record.models,
    started: startedOn.toISOString(),
    duration_ms: millisecondsSince(startedAt),
    host: hostname(),
  };
}

/** Returns the item's receipt, or `undefined` if it does not exist or cannot be parsed (the item is then processed again). */
export async function readReceipt(store: Store, { landed, stage, itemId, abort }: Attempt): Promise<Receipt | undefined> {
  const key = requestPrefix(landed.request_id) + metadataPaths.receipt(stage.name, itemId);
  const found = await store.getTextAfterHead(key, { signal: abort.signal });
  try {
    return found && parseJson('receipt', found.text);
  } catch {
    return undefined;
  }
}

/**
 * Returns whether a receipt is valid for an attempt: same source, stage version and configuration. The receipt of a failure is
 * valid only for the same message, so that a redriven item is processed again.
 */
export function isReceiptValid(receipt: Receipt, { stage, landed, config, delivery }: Attempt): boolean {
  const isSame = receipt.source.etag === landed.etag && receipt.version === stage.version && receipt.config_hash === config.hash;
  return isSame && (receipt.outcome === 'done' || receipt.sequence === delivery.sequence);
}

export async function writeReceipt(store: Store, requestId: string, receipt: Receipt, signal: AbortSignal): Promise<void> {
  const key = requestPrefix(requestId) + metadataPaths.receipt(receipt.stage, receipt.item);
  await store.put(key, `${JSON.stringify(receipt)}\n`, { headers: { 'content-type': 'application/json' }, signal });
}
