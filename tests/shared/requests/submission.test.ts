import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { parseOptions, createSubmission, screenSubmission } from '../../../shared/requests/submission.ts';
import type { OptionSchemas } from '../../../shared/core/options.ts';
import { UsageError } from '../../../shared/core/errors.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const options = {
  threshold: { type: 'number', minimum: 0, maximum: 1, default: 0.3, description: '' },
  query: { type: 'string', default: '', description: '' },
} as const satisfies OptionSchemas;
const tiny = { options, stages: [] };

describe('parseOptions', () => {
  it('returns text values, which may contain an equals sign', () => {
    expect(parseOptions(['threshold=0.5', 'query=a=b'], undefined, tiny)).toEqual({ threshold: '0.5', query: 'a=b' });
    expect(parseOptions([], 'coffee cup', tiny)).toEqual({ query: 'coffee cup' });
  });
  it.each([[['threshold']], [['=1']], [['threshold=2']], [['threshold=much']], [['nothing=1']]])(
    '%j is a usage error',
    (pairs) => {
      expect(() => parseOptions(pairs, undefined, tiny)).toThrow(UsageError);
    },
  );
  it('rejects --query without a stage that has the option', () => {
    expect(() => parseOptions([], 'cup', { ...tiny, options: { threshold: options.threshold } })).toThrow(/--query/);
  });
});

describe('createSubmission', () => {
  const dir = createTempDir();
  beforeAll(async () => {
    await writeFile(join(dir, 'my video+1.mp4'), 'abc');
  });

  it('places the file below input/ under its name', async () => {
    expect(await createSubmission('my video+1.mp4', dir, 'x')).toMatchObject({ key: 'requests/x/input/my video+1.mp4', size: 3 });
  });
  it('refuses a file that the relay would not admit, before the upload', async () => {
    for (const [name, content, code] of [
      ['empty.mp4', '', 'empty-file'],
      ['.hidden.mp4', 'abc', 'ignored-file'],
      ['text.mp4', 'abc', 'not-media'],
      ['words.srt', 'abc', 'ignored-file'],
      ['cut-off.mp4', '\0\0\0\x14ftypisom', undefined],
    ] as const) {
      await writeFile(join(dir, name), content);
      const refusal = await screenSubmission(await createSubmission(name, dir, 'x'), graph);
      expect(refusal?.errors?.[0]?.code, name).toBe(code);
    }
  });
  it('rejects a missing file and a directory', async () => {
    await expect(createSubmission('none.mp4', dir, 'x')).rejects.toThrow(/none.mp4 does not exist/);
    await expect(createSubmission('.', dir, 'x')).rejects.toThrow(/is a directory/);
  });
});
