import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestState } from '../../../schemas/generated/types.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { requestPrefix } from '../../../shared/pipeline/keys.ts';
import { digestFile, type Store } from '../../../shared/store/store.ts';
import { streams, subjects } from '../../../shared/bus/topology.ts';
import { parseJson, validate } from '../../../shared/core/validate.ts';
import { ENDS, type Sent } from './load.ts';

/** Objects of a request by path: the SHA-256 of artifacts, and `exists` for metadata. */
export type Tree = ReadonlyMap<string, string>;

/** Reads the objects of a request. Metadata is compared by name only because it contains times. Logs are excluded. */
export async function readRequestTree(store: Store, id: string): Promise<Tree> {
  const prefix = requestPrefix(id);
  const tree = new Map<string, string>();
  for await (const { key } of store.list(prefix)) {
    const path = key.slice(prefix.length);
    if (path.startsWith('metadata/logs/')) continue;
    tree.set(path, path.startsWith('metadata/') ? 'exists' : await sha256(store, key));
  }
  return tree;
}

async function sha256(store: Store, key: string): Promise<string> {
  const path = join(tmpdir(), `fave-chaos-${randomUUID()}`);
  try {
    await store.download(key, path);
    return (await digestFile(path)).sha256;
  } finally {
    await rm(path, { force: true });
  }
}

/** Compares two trees and returns one sentence per difference. */
export function compareTrees(tree: Tree, expected: Tree): string[] {
  const missing = [...expected.keys()].filter((path) => !tree.has(path)).map((path) => `${path} is missing`);
  const wrong = [...tree].filter(([path, hash]) => expected.get(path) !== hash);
  return [...missing, ...wrong.map(([path]) => (expected.has(path) ? `${path} has other bytes` : `${path} should not be there`))];
}

/** End of the first run of a request. */
export interface Ending {
  readonly id: string;
  readonly accepted: boolean;
  /** All terminal events of the run. */
  readonly ends: readonly RequestState[];
}

/** Reads the lifecycle events of a request from the stream. */
export async function readEnding(bus: Bus, { id }: Pick<Sent, 'id'>): Promise<Ending> {
  const said = async (name: string): Promise<RequestState[]> => {
    const found: RequestState[] = [];
    const subject = subjects.lifecycle(id, name);
    for (let seq = 1; ;) {
      const message = await bus.manager.streams
        .getMessage(streams.requests, { seq, next_by_subj: subject } as { seq: number })
        .catch(absent);
      if (!message) return found;
      found.push(validate('requestState', parseJson('cloudEvent', message.string()).data));
      seq = message.seq + 1;
    }
  };
  const [accepted, ends] = await Promise.all([said('accepted'), Promise.all(ENDS.map(said))]);
  return { id, accepted: accepted.length > 0, ends: ends.flat() };
}

function absent(error: unknown): null {
  if (error instanceof Error && error.message.includes('no message found')) return null;
  throw error;
}
