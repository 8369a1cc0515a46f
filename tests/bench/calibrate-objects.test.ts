import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../infra/process/paths.ts';

it('reproduces the tables of docs/detection.md and the figure, with a precision and a recall of at least 0.7', () => {
  const figure = (): string => readFileSync(join(root, 'docs/detection/precision-recall.svg'), 'utf8');
  const before = figure();
  const tables = execFileSync(process.execPath, ['bench/accuracy/calibrate-objects.ts'], { cwd: root, encoding: 'utf8' });
  const page = readFileSync(join(root, 'docs/detection.md'), 'utf8');
  for (const table of tables.split('\n\n')) expect(page).toContain(table);
  expect(figure()).toBe(before);

  const [, , now = ''] = /^\| `long-5min\.mp4` \| (.*?) \| (.*?) \|/m.exec(tables) ?? [];
  const [recall, precision] = now.split(' / ').map(Number);
  expect(recall).toBeGreaterThanOrEqual(0.7);
  expect(precision).toBeGreaterThanOrEqual(0.7);
});
