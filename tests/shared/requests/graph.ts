import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind } from '../../../schemas/kinds.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { defineStage } from '../../../shared/pipeline/stage.ts';
import { createTinyGraph, upperLine, createUppercase, type BeforeItem } from '../../fixtures/tiny/graph.ts';

export const readEchoed = {
  name: 'echoed',
  key: 'echo/clip_{clip}/echo.txt',
  contentType: 'text/plain',
  announced: true,
} as const satisfies Kind;

/** Values that tests change while the pipeline runs: stage versions and the behaviour of stages. */
export const vary: { uppercaseVersion: number; before: BeforeItem | undefined } = { uppercaseVersion: 1, before: undefined };

const uppercase = createUppercase(
  async (text, item, context) => {
    await vary.before?.(text, item, context);
    await context.exec('wc', ['-c', await item.file()]);
    context.recordModel('voice', '1.0');
  },
  () => vary.uppercaseVersion,
);

const echo = defineStage({
  name: 'echo',
  version: 1,
  consumes: upperLine,
  produces: [readEchoed],
  async run(item, { outputs, dir }) {
    const text = await readFile(await item.file(), 'utf8');
    await writeFile(join(dir, 'echo.txt'), `${text} ${text}`);
    await outputs.file(readEchoed, join(dir, 'echo.txt'));
  },
});

/** A pipeline without media: `split-lines` splits a text into lines, `uppercase` converts each to upper case, `echo` copies it. */
export const graph = createTinyGraph(uppercase, echo);

/** Fails permanently on the line `bad` while the flag file is missing. */
export function needing(flag: string): BeforeItem {
  return (text) => {
    if (text === 'bad' && !existsSync(flag))
      throw new PermanentError('unreadable-frame', 'this line is bad', { stderr: 'tool: no flag' });
  };
}
