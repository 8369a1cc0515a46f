import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { RequestState, Receipt } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeOptions } from '../../shared/pipeline/metadata.ts';
import { digestFile, type Store } from '../../shared/store/store.ts';
import { now } from '../report/figures.ts';
import { waitForEnd, type Instance } from './instance.ts';

/** Directory of the test media. */
export const mediaDir = resolve(process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../shared/media'));

/** Returns the path of a test video. @throws PermanentError `no-test-media`. */
export function findMedia(name: string): string {
  const path = join(mediaDir, name);
  if (!existsSync(path))
    throw new PermanentError('no-test-media', `${path} does not exist: set FAVE_TEST_MEDIA to the folder of the test media`);
  return path;
}

export interface ProcessedRequest {
  readonly id: string;
  /** Time from the start of the upload to the receipt of the terminal event, in ms. */
  readonly took: number;
  readonly state: RequestState;
}

/** Uploads a file and waits until its request has completed, without reuse of earlier results. */
export async function processRequest(
  { store, bus }: Instance,
  path: string,
  options: Readonly<Record<string, string>> = {},
): Promise<ProcessedRequest> {
  const id = randomUUID();
  const digest = await digestFile(path);
  const end = waitForEnd(bus, id);
  const begun = now();
  const key = requestPrefix(id) + pathOf(kinds.input, { file: basename(path) });
  await store.upload(key, { path, ...digest }, { headers: encodeOptions({ memo: 'false', ...options }) });
  const { at, state } = await end;
  return { id, took: at - begun, state };
}

/** Reads the receipts of all settled items of a request. */
export async function readReceipts(store: Store, id: string): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for await (const { key } of store.list(`${requestPrefix(id)}metadata/items/`)) {
    const found = await store.getText(key);
    if (found) receipts.push(JSON.parse(found.text) as Receipt);
  }
  return receipts;
}
