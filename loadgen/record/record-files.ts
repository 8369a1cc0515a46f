import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { ItemRecord, LoadRecord } from '../../schemas/generated/types.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { parseJson, type SchemaName } from '../../shared/core/validate.ts';

/** File names of a record, relative to its directory. */
export const recordFiles = {
  requests: 'requests.jsonl',
  items: 'items.jsonl',
  load: 'load.json',
  scale: 'scale.jsonl',
  snapshots: 'snapshots.jsonl',
  logs: 'logs.jsonl.gz',
  cell: 'cell.json',
} as const;

/** Appends objects to a file of JSON lines. */
export interface JsonlWriter {
  append(value: object): void;
  close(): Promise<void>;
}

/** Creates a file of JSON lines. @throws PermanentError `record-exists` if the file exists: records are never overwritten. */
export async function createJsonlWriter(path: string): Promise<JsonlWriter> {
  const stream = createWriteStream(path, { flags: 'wx' });
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new PermanentError('record-exists', `${path} exists: choose another directory with --out`, { cause });
  });
  // close() reports the error, so a full disk does not end the process during the load.
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

/** Writes the records of finished requests. */
export interface Recorder {
  append(record: LoadRecord, items: readonly ItemRecord[]): void;
  close(): Promise<void>;
}

/** Creates the record files in `dir`, which is created if necessary. @throws PermanentError `record-exists`. */
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

/** Reads JSON lines and validates each line against a schema. @throws PermanentError `invalid-{name}`. */
export async function readJsonl<N extends SchemaName>(name: N, path: string): Promise<ReturnType<typeof parseJson<N>>[]> {
  const text = await readFile(path, 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [parseJson(name, line)]));
}
