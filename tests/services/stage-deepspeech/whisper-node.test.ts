import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { TranscriptionResult } from '../../../services/stage-deepspeech/engine.ts';
import { createWhisperNode, whisperArgs } from '../../../services/stage-deepspeech/whisper-node/whisper-node.ts';
import { buildWhisper, whisperNodeDir } from '../../../services/stage-deepspeech/whisper-node/package.ts';
import { exec } from '../../support/exec.ts';
import { writeScriptedModel } from '../../fixtures/whisper/scripted-model.ts';
import { mediaFolder, samplesOf, speech, writeMedia } from '../../support/media.ts';
import { WAIT } from '../../support/wait.ts';
import { extractSpeech, transcribe } from './clip.ts';
import { wavFile } from '../../support/wav.ts';

/** Timeout for the build of whisper.cpp (ms), which takes half a minute of one idle core. */
const BUILD = 600_000;

const tone = writeMedia(
  "it's a tone.wav",
  wavFile(
    Int16Array.from({ length: 64_000 }, (_, i) => (i < 48_000 ? (i % 40) * 500 - 10_000 : 0)),
    { rate: 16_000 },
  ),
);
const spoken = extractSpeech('spoken.wav', speech('country.wav', 'Ask not what your country can do for you.'));

/** Returns a directory of whisper-node with another program in the place of whisper.cpp's `main`. */
function packageWith(main: string | undefined): string {
  // A path that a shell would split and expand.
  const packageDir = mkdtempSync(join(mediaFolder(), "o'neil's $(exit 1) modules "));
  cpSync(join(whisperNodeDir(), 'package.json'), join(packageDir, 'package.json'));
  mkdirSync(join(packageDir, 'lib/whisper.cpp'), { recursive: true });
  if (main) cpSync(main, join(packageDir, 'lib/whisper.cpp/main'));
  return packageDir;
}

const fixture = join(import.meta.dirname, '../../fixtures/whisper/main.mjs');

/** Transcribes with the fixture program, whose behaviour depends on the name of the model. */
async function behaving(
  model: string,
  given: { packageDir?: string; signal?: AbortSignal; dir?: string; language?: string } = {},
): Promise<TranscriptionResult> {
  const engine = await createWhisperNode(
    writeMedia(`ggml-${model}.bin`, 'lmgg'),
    exec,
    () => undefined,
    given.packageDir ?? packageWith(fixture),
  );
  const dir = given.dir ?? mkdtempSync(join(mediaFolder(), 'work '));
  return engine.transcribe({
    wav: tone,
    header: 44,
    speech: [{ start: 0, end: 2 }],
    probabilities: new Float32Array(),
    language: given.language ?? 'auto',
    task: 'transcribe',
    shareLanguage: (detect) => detect(),
    signal: given.signal ?? new AbortController().signal,
    exec: (command, args, options) =>
      exec(command, args, { cwd: dir, ...(given.signal ? { signal: given.signal } : {}), ...options }),
    dir,
  });
}

describe('whisperArgs', () => {
  it('requests the full JSON, in the language without its region', () => {
    expect(whisperArgs('/m.bin', '/a.wav', 'pt-BR', '/out').join(' ')).toBe('-m /m.bin -f /a.wav -l pt -ojf -of /out');
  });
});

describe('whisper through whisper-node', () => {
  it('transcribes with the real whisper.cpp and a scripted model', { timeout: BUILD }, async () => {
    const model = join(mediaFolder(), 'ggml-scripted.bin');
    writeScriptedModel(model, ['ask', 'not', 'what', 'café'], 4);
    const end = 7 + samplesOf(spoken, 16_000).length / 16_000;
    const { transcript, ran } = await transcribe(spoken, 7, {
      options: { speech: 'whisper-node' },
      settings: { 'whisper-model': model },
    });

    expect(transcript).toMatchObject({
      engine: 'whisper-node',
      model: 'scripted',
      language: 'en',
      start: 7,
      end: expect.closeTo(end, 2) as number,
      text: 'ask not what café',
    });
    expect(transcript.utterances).toHaveLength(1);
    const words = transcript.utterances[0]!.words;
    expect(words.map(({ text }) => text)).toEqual(['ask', 'not', 'what', 'café']);
    for (const [i, { start, end: to, confidence }] of words.entries()) {
      expect(start).toBeGreaterThanOrEqual(words[i - 1]?.end ?? 7);
      expect(to).toBeLessThanOrEqual(end + 0.01);
      expect(confidence).toBeCloseTo(1, 2);
    }
    expect(ran.used).toEqual({
      'silero-vad': '6',
      'whisper-node': expect.stringMatching(/^\d/) as string,
      'voice-encoder': 'Resemblyzer 0.1.4',
      'whisper-node:scripted': expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
  });

  it('drops utterances in parts without speech', async () => {
    const { utterances, language } = await behaving('hallucinates', { language: 'en-GB' });
    expect(utterances.map(({ text }) => text)).toEqual(['Good day.']);
    expect(language).toBe('en');
  });

  it.each([
    ['fails', 'whisper.cpp failed: error: failed to initialize whisper context'],
    ['nothing', 'no transcript'],
    ['garbage', 'not the JSON of --output-json-full'],
  ])('throws tool-failed if whisper.cpp misbehaves: %s', async (model, sentence) => {
    await expect(behaving(model)).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('is killed with its child processes on abort', async () => {
    const abort = new AbortController();
    const dir = mkdtempSync(join(mediaFolder(), 'hang '));
    const running = behaving('hangs', { signal: abort.signal, dir });
    const pid = await vi.waitFor(
      () => readFileSync(join(dir, 'whisper.json.pid'), 'utf8') || Promise.reject(new Error('not yet')),
      WAIT,
    );
    abort.abort(new Error('deadline'));
    await expect(running).rejects.toThrow('deadline');
    await vi.waitFor(() => {
      expect(isRunning(pid)).toBe(false);
    }, WAIT);
  });
});

describe('buildWhisper', () => {
  it('throws whisper-unavailable if the build fails', async () => {
    const building = vi.fn();
    await expect(buildWhisper(packageWith(undefined), exec, building)).rejects.toMatchObject({ code: 'whisper-unavailable' });
    expect(building).toHaveBeenCalledOnce();
  });

  it('builds once when several processes start', async () => {
    const packageDir = packageWith(undefined);
    const sources = join(packageDir, 'lib/whisper.cpp');
    writeFileSync(join(sources, 'Makefile'), 'main:\n\techo built >> log\n\tprintf "#!/bin/sh\\n" > main\n\tchmod +x main\n');
    await Promise.all([buildWhisper(packageDir, exec, () => undefined), buildWhisper(packageDir, exec, () => undefined)]);
    await buildWhisper(packageDir, exec, () => {
      throw new Error('built again');
    });
    expect(readFileSync(join(sources, 'log'), 'utf8')).toBe('built\n');
  });
});

describe('an unusable model', () => {
  it.each([
    ['missing', join(mediaFolder(), 'ggml-none.bin'), 'cannot be read'],
    ['of another format', writeMedia('ggml-text.bin', '<html>404</html>'), 'not a ggml model'],
    ['empty', writeMedia('ggml-empty.bin', ''), 'not a ggml model'],
    ['a directory', mediaFolder(), 'cannot be read'],
  ])('throws no-whisper-model for a model that is %s', async (_, model, sentence) => {
    const result = transcribe(spoken, 0, { options: { speech: 'whisper-node' }, settings: { 'whisper-model': model } });
    await expect(result).rejects.toMatchObject({
      code: 'no-whisper-model',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('falls back to pocketsphinx with the option auto', async () => {
    const { ran } = await transcribe(spoken, 0, { settings: { 'whisper-model': join(mediaFolder(), 'ggml-none.bin') } });
    expect(ran.executed.map(({ command }) => command)).toEqual(['pocketsphinx_batch']);
  });
});

/** Returns whether a process runs. A zombie does not. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
