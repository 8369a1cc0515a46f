import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { parseJson } from '../../shared/core/validate.ts';
import type { RecordedCell } from './study.ts';

/**
 * Reads all cells below a directory. Each folder with a `cell.json` is a cell; a folder without one is unfinished and ignored.
 * @returns Cells, sorted by path.
 * @throws PermanentError `no-experiments`, `invalid-record` (with file and line), `duplicate-cell`.
 */
export async function readCells(directory: string): Promise<RecordedCell[]> {
  const folders = await cellFolders(directory);
  if (folders.length === 0)
    throw new PermanentError(
      'no-experiments',
      `${directory} contains no cell.json: run the study first, or pass the directory of its records`,
    );
  const seen = new Map<string, string>();
  const runs: RecordedCell[] = [];
  for (const folder of folders) {
    const run = await readRun(folder);
    const other = seen.get(run.name);
    if (other !== undefined)
      throw new PermanentError('duplicate-cell', `${folder} and ${other} are both records of ${run.name}: remove one of them`);
    seen.set(run.name, folder);
    runs.push(run);
  }
  return runs;
}

async function cellFolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new PermanentError('no-experiments', `cannot read ${directory}: ${messageOf(cause)}`, { cause });
  });
  const cells = entries.filter((path) => path === 'cell.json' || path.endsWith('/cell.json'));
  return cells.map((path) => dirname(join(directory, path))).sort();
}

async function readRun(folder: string): Promise<RecordedCell> {
  const path = join(folder, 'cell.json');
  const cell = record('cell', await readFile(path, 'utf8'), path);
  const name = `${cell.platform}/${cell.regime}/${cell.load}/${cell.repeat}`;
  // The record of a broken cell may be incomplete, so only its reason is used.
  if (cell.status === 'broken') return { name, cell, requests: [], items: [], scaling: [], snapshots: [] };
  return {
    name,
    cell,
    requests: await lines('loadRecord', join(folder, 'requests.jsonl')),
    items: await lines('itemRecord', join(folder, 'items.jsonl')),
    scaling: await lines('scaleEvent', join(folder, 'scale.jsonl')),
    snapshots: await lines('snapshot', join(folder, 'snapshots.jsonl')),
  };
}

type RecordName = 'cell' | 'loadRecord' | 'itemRecord' | 'scaleEvent' | 'snapshot';

async function lines<N extends RecordName>(name: N, path: string): Promise<ReturnType<typeof parseJson<N>>[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PermanentError('invalid-record', `cannot read ${path} of a finished cell: run the cell again`, {
      cause,
    });
  });
  return text.split('\n').flatMap((line, n) => (line.trim() === '' ? [] : [record(name, line, `${path}, line ${n + 1}`)]));
}

function record<N extends RecordName>(name: N, text: string, location: string): ReturnType<typeof parseJson<N>> {
  try {
    return parseJson(name, text);
  } catch (cause) {
    throw new PermanentError('invalid-record', `${location} is ${messageOf(cause)}; run the cell again, or remove it`, { cause });
  }
}
