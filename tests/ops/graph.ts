import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { PermanentError } from '../../shared/errors.ts';
import { defineGraph } from '../../shared/graph.ts';
import { defineStage, type Item, type StageContext } from '../../shared/stage.ts';

export const line = {
  name: 'line',
  key: 'cut/clip_{clip}/line.txt',
  contentType: 'text/plain',
  announced: true,
} as const satisfies Kind;
export const loud = {
  name: 'loud',
  key: 'shout/clip_{clip}/loud.txt',
  contentType: 'text/plain',
  announced: true,
} as const satisfies Kind;
export const echoed = {
  name: 'echoed',
  key: 'echo/clip_{clip}/echo.txt',
  contentType: 'text/plain',
  announced: true,
} as const satisfies Kind;

/** What a test has happen in `shout`, before a line is shouted. */
export type Before = (
  text: string,
  item: Item,
  context: Pick<StageContext<unknown, unknown, unknown>, 'signal' | 'exec' | 'dir'>,
) => void | Promise<void>;

/** What tests change while the pipeline runs: the code that a worker was deployed with, and what happens in it. */
export const vary: { shoutVersion: number; before: Before | undefined } = { shoutVersion: 1, before: undefined };

const cut = defineStage({
  name: 'cut',
  version: 1,
  consumes: kinds.input,
  produces: [line],
  async run(input, { outputs, dir }) {
    const text = await readFile(await input.file(), 'utf8');
    for (const [n, one] of text.trimEnd().split('\n').entries()) {
      await writeFile(join(dir, 'line.txt'), one);
      await outputs.file(line, join(dir, 'line.txt'), { indices: { clip: n + 1 } });
    }
  },
});

const shout = defineStage({
  name: 'shout',
  get version() {
    return vary.shoutVersion;
  },
  consumes: line,
  produces: [loud],
  options: { suffix: { type: 'string', default: '!', maxLength: 10, description: 'what a shout ends with' } },
  async run(item, { exec, outputs, dir, options, used, signal }) {
    const path = await item.file();
    const text = await readFile(path, 'utf8');
    await vary.before?.(text, item, { signal, exec, dir });
    await exec('wc', ['-c', path]);
    used('voice', '1.0');
    await writeFile(join(dir, 'loud.txt'), text.toUpperCase() + options.suffix);
    await outputs.file(loud, join(dir, 'loud.txt'));
  },
});

const echo = defineStage({
  name: 'echo',
  version: 1,
  consumes: loud,
  produces: [echoed],
  async run(item, { outputs, dir }) {
    const text = await readFile(await item.file(), 'utf8');
    await writeFile(join(dir, 'echo.txt'), `${text} ${text}`);
    await outputs.file(echoed, join(dir, 'echo.txt'));
  },
});

/** A pipeline without media: a text is cut into lines, each line is shouted, and each shout comes back as an echo. */
export const graph = defineGraph([kinds.input, kinds.canary], [cut, shout, echo]);

/** Fails for good on a line `bad` while the flag file is missing. */
export function needing(flag: string): Before {
  return (text) => {
    if (text === 'bad' && !existsSync(flag))
      throw new PermanentError('bad-line', 'this line is bad', { stderr: 'tool: no flag' });
  };
}
