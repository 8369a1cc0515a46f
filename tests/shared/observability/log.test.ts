import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const dir = createTempDir();

test('logs an error of a bundle with the position in its source', async () => {
  const source = join(dir, 'source.ts');
  await writeFile(source, `type Unused = string;\n\nexport function fail(): never {\n  throw new Error('expected');\n}\n`);
  await bundle({ program: source }, dir);
  const { fail } = (await import(pathToFileURL(join(dir, 'program.mjs')).href)) as { fail: () => never };
  const lines: string[] = [];
  try {
    fail();
  } catch (error) {
    createLogger({}, 'info', (line) => lines.push(line)).info({ event: 'service:failed', error });
  }
  expect((JSON.parse(lines[0] ?? '') as { error: { stack: string } }).error.stack).toContain(`${source}:4:9`);
});
