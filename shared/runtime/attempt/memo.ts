import type { Receipt } from '../../../schemas/generated/types.ts';
import type { Kind } from '../../../schemas/kinds.ts';
import { indexNames, memoKey, metadataPaths, parseKey, requestPrefix } from '../../pipeline/keys.ts';
import type { Item } from '../../pipeline/stage.ts';
import { computeSha256, type Store } from '../../store/store.ts';
import { parseJson } from '../../core/validate.ts';
import { commonMetadata, outputHeaders } from '../workdir/outputs.ts';
import type { Attempt } from './attempt.ts';
import { toReceipt } from './receipt.ts';

/**
 * The memo is a cache of stage results across requests. Its key is a hash of the content that a stage reads, the stage's version
 * and its configuration. A memo entry that is missing, unreadable or refers to deleted objects only causes the stage to run.
 */
export interface MemoLookup {
  readonly hash: string;
  /** Text of the memo entry, if there is one. */
  readonly entry: string | undefined;
}

/** Looks for the memo entry of an attempt. Returns `undefined` if the request disables the memo. */
export async function findMemo(store: Store, attempt: Attempt, item: Item): Promise<MemoLookup | undefined> {
  const { stage, landed, config, abort, record, itemId } = attempt;
  if (landed.options['memo'] === false) return undefined;
  // Numbered siblings, such as frames, need no hash: the item is a manifest that contains their hashes.
  const reads = (stage.reads ?? []).filter((kind) => placeholders(kind).every((name) => name in item.indices));
  const siblingHashes = await Promise.all(reads.map(async (kind) => (await item.sibling(kind)).sha256()));
  const hash = computeSha256(
    JSON.stringify([stage.name, stage.version, config.hash, record.identity?.sha256, itemId, landed.attributes, siblingHashes]),
  );
  return { hash, entry: (await store.getTextAfterHead(memoKey(stage.name, hash), { signal: abort.signal }))?.text };
}

/**
 * Copies the outputs of a memo entry into the attempt's request, inside the store. The notifications of the copies start the
 * next stages. Returns false, with an unchanged record, if there is no usable entry.
 */
export async function copyMemoizedOutputs(store: Store, attempt: Attempt, { entry }: MemoLookup): Promise<boolean> {
  const { stage, landed, abort, log, record } = attempt;
  const { signal } = abort;
  if (entry === undefined) return false;
  try {
    const { request_id: from, receipt } = parseEntry(entry);
    for (const output of receipt.outputs) {
      const parsedKey = parseKey(requestPrefix(landed.request_id) + output.key, stage.produces);
      if (!parsedKey) throw new Error(`${stage.name} does not produce ${output.key}`);
      const metadata = {
        ...commonMetadata(attempt),
        attributes: output.attributes,
        sha256: output.sha256,
        receipt: metadataPaths.receipt(stage.name, attempt.itemId),
      };
      const source = { key: requestPrefix(from) + output.key, etag: output.etag };
      const { etag } = await store.copy(source, requestPrefix(landed.request_id) + output.key, {
        headers: outputHeaders(parsedKey.kind, output.key, metadata),
        signal,
      });
      record.outputs.push({ ...output, etag });
    }
    record.reusedFrom = from;
    Object.assign(record.models, receipt.models);
    record.tools.push(...receipt.tools);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.debug({ event: 'memo:unusable', error }, 'the memoized outputs cannot be copied; the stage runs');
    // The stage overwrites the outputs that were copied before the error.
    record.outputs.length = 0;
    return false;
  }
}

/** Writes the memo entry of an attempt whose stage ran. */
export async function recordMemo(store: Store, attempt: Attempt, hash: string, signal: AbortSignal): Promise<void> {
  const entry = { request_id: attempt.landed.request_id, receipt: { ...toReceipt(attempt), host: '' } };
  await store.put(memoKey(attempt.stage.name, hash), `${JSON.stringify(entry)}\n`, {
    headers: { 'content-type': 'application/json' },
    signal,
  });
}

function placeholders(kind: Kind): string[] {
  return indexNames.filter((name) => kind.key.includes(`{${name}}`));
}

function parseEntry(text: string): { request_id: string; receipt: Receipt } {
  const { request_id, receipt } = JSON.parse(text) as { request_id: string; receipt: unknown };
  return { request_id, receipt: parseJson('receipt', JSON.stringify(receipt)) };
}
