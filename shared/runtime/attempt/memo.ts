import type { Receipt } from '../../../schemas/generated/types.ts';
import { kinds, type Kind } from '../../../schemas/kinds.ts';
import { memoKey, metadataPaths, parseKey, requestPrefix } from '../../pipeline/keys.ts';
import { inheritMetadata } from '../../bus/landed-message.ts';
import type { Item } from '../../pipeline/stage.ts';
import { computeSha256, type Store } from '../../store/store.ts';
import { parseJson } from '../../core/validate.ts';
import { receiptOf, type Attempt } from './attempt.ts';
import { outputHeaders } from '../workdir/outputs.ts';

/**
 * The memory of work done, across requests. Work is known by content: what was read, by which stage and version, with which
 * config. Where equal work was done before, its outputs are copied inside the store, and their own notifications drive what
 * follows. A note that is missing, unreadable or points at what is gone means work, never a wrong result.
 */
export interface Memo {
  /** Identifies the attempt's work and looks for equal work; undefined where the request does not want it. */
  lookUp(attempt: Attempt, item: Item): Promise<MemoLookup | undefined>;
  /** Copies the outputs of equal work into the attempt. @returns Whether there were any. */
  copyOutputs(attempt: Attempt, work: MemoLookup): Promise<boolean>;
  /** Notes where the attempt's outputs are. */
  recordOutputs(attempt: Attempt, work: MemoLookup, signal: AbortSignal): Promise<void>;
}

/** A piece of work, known by content. */
export interface MemoLookup {
  readonly hash: string;
  /** What was noted when it was done before. */
  readonly entry: string | undefined;
}

export function createMemo(store: Store): Memo {
  return {
    async lookUp(attempt, item) {
      const { stage, landed, config, abort } = attempt;
      if (landed.options['memo'] === false) return undefined;
      // An upload says nothing of its content; whoever reads it first works it out, and what is made of it carries it on.
      landed.sha256 ??= await item.sha256();
      if (stage.consumes === kinds.input) landed.input_sha256 = landed.sha256;
      // Numbered siblings, such as frames, are vouched for by the manifest that the item is: it names their content.
      const read = (stage.reads ?? []).filter((kind) => placeholders(kind).every((name) => name in item.indices));
      const beside = await Promise.all(read.map(async (kind) => (await item.sibling(kind)).sha256()));
      const hash = computeSha256(
        JSON.stringify([stage.name, stage.version, config.hash, landed.sha256, attempt.item, landed.attributes, beside]),
      );
      return { hash, entry: (await store.getTextAfterHead(memoKey(stage.name, hash), { signal: abort.signal }))?.text };
    },

    async copyOutputs(attempt, { entry: note }) {
      const { stage, landed, abort, log } = attempt;
      const { signal } = abort;
      if (note === undefined) return false;
      try {
        const { request_id: from, receipt } = readNote(note);
        for (const output of receipt.outputs) {
          const parsedKey = parseKey(requestPrefix(landed.request_id) + output.key, stage.produces);
          if (!parsedKey) return false;
          const metadata = {
            ...inheritMetadata(landed, attempt.span.traceparent),
            attributes: output.attributes,
            sha256: output.sha256,
            receipt: metadataPaths.receipt(stage.name, attempt.item),
          };
          const source = { key: requestPrefix(from) + output.key, etag: output.etag };
          const { etag } = await store.copy(source, requestPrefix(landed.request_id) + output.key, {
            headers: outputHeaders(parsedKey.kind, output.key, metadata),
            signal,
          });
          attempt.outputs.push({ ...output, etag });
        }
        attempt.reused = from;
        Object.assign(attempt.models, receipt.models);
        attempt.tools.push(...receipt.tools);
        return true;
      } catch (error) {
        signal.throwIfAborted();
        log.debug({ event: 'memo:unusable', error }, 'equal work done before cannot be copied; it is done again');
        // What was copied already is put again under the same keys.
        attempt.outputs.length = 0;
        return false;
      }
    },

    async recordOutputs(attempt, { hash }, signal) {
      const { stage, landed } = attempt;
      const note = { request_id: landed.request_id, receipt: { ...receiptOf(attempt), host: '' } };
      await store.put(memoKey(stage.name, hash), `${JSON.stringify(note)}\n`, {
        headers: { 'content-type': 'application/json' },
        signal,
      });
    },
  };
}

function placeholders(kind: Kind): string[] {
  return ['clip', 'frame'].filter((name) => kind.key.includes(`{${name}}`));
}

function readNote(text: string): { request_id: string; receipt: Receipt } {
  const { request_id, receipt } = JSON.parse(text) as { request_id: string; receipt: unknown };
  return { request_id, receipt: parseJson('receipt', JSON.stringify(receipt)) };
}
