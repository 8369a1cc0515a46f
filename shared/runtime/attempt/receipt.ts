import { hostname } from 'node:os';
import type { Receipt } from '../../../schemas/generated/types.ts';
import { metadataPaths, requestPrefix } from '../../pipeline/keys.ts';
import type { OptionMap } from '../../core/options.ts';
import { computeSha256, type Store } from '../../store/store.ts';
import { parseJson } from '../../core/validate.ts';
import type { Attempt } from './attempt.ts';

/** What decides, beside the source, what an item's outputs are. */
export interface StageConfig {
  readonly values: OptionMap;
  readonly hash: string;
}

export function stageConfig(options: OptionMap, settings: OptionMap): StageConfig {
  const values = { ...options, ...settings };
  const sorted = Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { values: sorted, hash: computeSha256(JSON.stringify(sorted)) };
}

/** The receipt of an item, if it was settled; undefined also where what is there cannot be read, which only means work. */
export async function readReceipt(
  store: Store,
  requestId: string,
  stage: string,
  item: string,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  const found = await store.getTextAfterHead(requestPrefix(requestId) + metadataPaths.receipt(stage, item), { signal });
  try {
    return found && parseJson('receipt', found.text);
  } catch {
    return undefined;
  }
}

/** Whether a receipt vouches for this very item: same source, stage version and config; a failure only for the same message. */
export function isReceiptValid(receipt: Receipt, { stage, landed, config, delivery }: Attempt): boolean {
  const same = receipt.source.etag === landed.etag && receipt.version === stage.version && receipt.config_hash === config.hash;
  return same && (receipt.outcome === 'done' || receipt.sequence === delivery.sequence);
}

export async function writeReceipt(
  store: Store,
  requestId: string,
  receipt: Omit<Receipt, 'host'>,
  signal?: AbortSignal,
): Promise<void> {
  const key = requestPrefix(requestId) + metadataPaths.receipt(receipt.stage, receipt.item);
  const text = `${JSON.stringify({ ...receipt, host: hostname() } satisfies Receipt)}\n`;
  await store.put(key, text, { headers: { 'content-type': 'application/json' }, ...(signal && { signal }) });
}
