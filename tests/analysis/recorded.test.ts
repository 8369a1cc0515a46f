import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyse } from '../../analysis/analyse.ts';
import { createTempDir } from '../support/temp-dir.ts';

const root = join(import.meta.dirname, '..', '..');

it('reproduces the committed tables and report of the recorded study byte for byte', { timeout: 240_000 }, async () => {
  const out = createTempDir();
  await analyse(join(root, 'experiments'), out);
  const committed = join(root, 'analysis', 'out');
  const tables = await readdir(join(committed, 'tables'));
  expect(await readdir(join(out, 'tables'))).toEqual(tables);
  for (const file of [...tables.map((name) => join('tables', name)), 'report.md'])
    expect(await readFile(join(out, file), 'utf8'), file).toBe(await readFile(join(committed, file), 'utf8'));
});
