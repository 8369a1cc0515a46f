import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { ItemRecord, LoadRecord } from '../../schemas/generated/types.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { parseJson, type SchemaName } from '../../shared/core/validate.ts';

/** Files of a record, below its directory. */
export const recordFiles = {
  requests: 'requests.jsonl',
  items: 'items.jsonl',
  load: 'load.json',
  scale: 'scale.jsonl',
  snapshots: 'snapshots.jsonl',
  logs: 'logs.jsonl.gz',
  cell: 'cell.json',
} as const;

/** A file of JSON lines that grows. */
export interface JsonlWriter {
  append(value: object): void;
  close(): Promise<void>;
}

/** Begins a new file of JSON lines. @throws PermanentError `record-exists` where there is one: a record is never written twice. */
export async function createJsonlWriter(path: string): Promise<JsonlWriter> {
  const stream = createWriteStream(path, { flags: 'wx' });
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new PermanentError('record-exists', `${path} is there already: choose another directory with --out`, { cause });
  });
  // Told by close(): a disk that is full must not end the process in the middle of the load.
  const done = finished(stream);
  done.catch(() => undefined);
  return {
    append: (value) => void stream.write(`${JSON.stringify(value)}\n`),
    close: async () => {
      stream.end();
      await done;
    },
  };
}

/** Where a load's lines go as its requests end. */
export interface Recorder {
  append(record: LoadRecord, items: readonly ItemRecord[]): void;
  close(): Promise<void>;
}

/** @param dir It is made when it is missing. @throws PermanentError `record-exists`. */
export async function createRecorder(dir: string): Promise<Recorder> {
  await mkdir(dir, { recursive: true });
  const requests = await createJsonlWriter(join(dir, recordFiles.requests));
  const items = await createJsonlWriter(join(dir, recordFiles.items));
  return {
    append(record, settled) {
      settled.forEach(items.append);
      requests.append(record);
    },
    close: async () => void (await Promise.all([requests.close(), items.close()])),
  };
}

/** Reads JSON lines back, each checked against its schema. @throws PermanentError `invalid-{name}`. */
export async function readJsonl<N extends SchemaName>(name: N, path: string): Promise<ReturnType<typeof parseJson<N>>[]> {
  const text = await readFile(path, 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [parseJson(name, line)]));
}
