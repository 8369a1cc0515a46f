import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { provideSpeech } from '../../../infra/local/speech.ts';
import { provideWhisperModel, pullModel } from '../../../infra/servers/models.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const FAVE_WHISPER_SERVER = '/usr/bin/true';
let [directory, mirror] = ['', ''];
let lines: string[] = [];
beforeEach(() => {
  const dir = createTempDir();
  [directory, mirror] = [join(dir, 'cache'), join(dir, 'mirror')];
  mkdirSync(mirror);
  writeFileSync(join(mirror, 'ggml-base-q8_0.bin'), 'not the model');
  lines = [];
});

const options = (env: Record<string, string>): Parameters<typeof provideWhisperModel>[0] => ({
  env: { FAVE_MODELS_URL: pathToFileURL(mirror).href, FAVE_WHISPER_SERVER, ...env },
  progress: (line) => lines.push(line),
  directory,
});

describe('provideSpeech', () => {
  it('reports a failed download in one line and returns no model', async () => {
    expect(await provideSpeech(options({}))).toEqual({ FAVE_WHISPER_SERVER });
    expect(lines).toEqual([
      'downloading the model base-q8_0 (82 MB) …',
      expect.stringMatching(
        /^no Whisper model, so pocketsphinx transcribes .*the file was discarded; see docs\/installation\.md#/,
      ),
    ]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('returns an installed model without a download', async () => {
    const path = join(mirror, 'ggml-base-q8_0.bin');
    expect(await provideSpeech(options({ FAVE_MODELS: mirror }))).toEqual({ FAVE_WHISPER_SERVER, FAVE_WHISPER_MODEL: path });
    expect(lines).toEqual(['Whisper transcribes with ggml-base-q8_0.bin']);
  });

  it('provides nothing with FAVE_WHISPER_MODEL=none', async () => {
    expect(await provideSpeech(options({ FAVE_WHISPER_MODEL: 'none' }))).toEqual({});
    expect(lines).toEqual(['pocketsphinx transcribes, because FAVE_WHISPER_MODEL is none']);
  });

  it('stops with the start and leaves no model', async () => {
    expect(await provideSpeech({ ...options({}), signal: AbortSignal.abort() })).toEqual({});
    expect(readdirSync(directory)).not.toContain('ggml-base-q8_0.bin');
  });
});

describe('pullModel', () => {
  it('downloads one after the other', async () => {
    const pulls = [1, 2].map(() => pullModel('base-q8_0', options({})).catch((error: unknown) => error));
    expect(await Promise.all(pulls)).toEqual([1, 2].map(() => expect.objectContaining({ code: 'wrong-checksum' }) as unknown));
    expect(lines.filter((line) => line.startsWith('waiting'))).toHaveLength(1);
  });
});
