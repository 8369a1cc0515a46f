import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import countWords from '../../examples/count-words.ts';
import { root } from '../../infra/process/paths.ts';
import { kinds } from '../../schemas/kinds.ts';
import { uniqueId, useSharedStack } from '../support/stack.ts';
import { runStageLocally } from '../support/stage-harness.ts';
import { createTempDir } from '../support/temp-dir.ts';

describe('examples/count-words.ts', () => {
  it('uploads the number of words of a transcript', async () => {
    const dir = createTempDir();
    const path = join(dir, 'transcript.json');
    const transcript = { engine: 'none', model: null, language: null, start: 0, end: 2, text: ' one  two three', utterances: [] };
    await writeFile(path, JSON.stringify(transcript));
    const ran = await runStageLocally(countWords, { kind: kinds.transcript, path, indices: { clip: 1 } });
    expect(ran.outputs.map(({ key }) => key)).toEqual(['count-words/clip_0001/word-count.json']);
    expect(await ran.json(countWords.produces[0]!)).toEqual({ words: 3 });
  });
});

describe('examples/print-results.ts', () => {
  it('prints requests that end and no other event', async () => {
    const { environment, bus } = await useSharedStack();
    const child = spawn(process.execPath, [join(root, 'examples/print-results.ts')], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: 'waiting for results' });

    const id = uniqueId();
    bus.connection.publish(`fave.requests.${id}.accepted`, '{}');
    bus.connection.publish(`fave.requests.${id}.failed`, '{}');
    let line: string | undefined;
    // Other test files share the servers; their requests are printed as well.
    do line = ((await lines.next()) as { value?: string }).value;
    while (line !== undefined && !line.startsWith(id));
    expect(line).toBe(`${id} failed`);

    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
