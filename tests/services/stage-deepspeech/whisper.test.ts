import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { listChildren, readCpuTime } from '../../../loadgen/study/system/proc.ts';
import { findWhisperServer } from '../../../infra/servers/whisper-server.ts';
import { createWhisperServer } from '../../../services/stage-deepspeech/whisper/whisper-server.ts';
import { exec } from '../../support/exec.ts';
import { findMedia, NO_MEDIA } from '../../support/media.ts';
import { WAIT } from '../../support/wait.ts';
import { extractSpeech, transcribe } from './clip.ts';
import { computeWordErrorRate } from './word-errors.ts';

const model = resolve(import.meta.dirname, '../../../../shared/models/whisper/ggml-tiny.en-q8_0.bin');
const jfk = findMedia('jfk.wav');
const server = findWhisperServer() ?? '';
const settings = { 'whisper-model': model, 'whisper-server': server };

/** Returns the newest server that this process started. */
function findServer(): number {
  const servers = listChildren(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('whisper-server'),
  );
  return servers.at(-1) ?? 0;
}

if (!jfk) process.stderr.write(`${NO_MEDIA}\n`);

describe.skipIf(!jfk || !existsSync(model) || server === '')('whisper through whisper-server', () => {
  const decoder = createWhisperServer(server, model, 2, exec);
  const fields = { response_format: 'verbose_json', language: 'en' };
  const never = new AbortController().signal;
  let speech: string;
  let wav: Uint8Array<ArrayBuffer>;
  beforeAll(() => {
    speech = extractSpeech('jfk-16k.wav', jfk ?? '');
    wav = new Uint8Array(readFileSync(speech));
  });

  it('transcribes a speech with times inside the detected speech', { timeout: 120_000 }, async () => {
    const { transcript, ran } = await transcribe(speech, 7, { settings });
    expect(transcript).toMatchObject({ engine: 'whisper', model: 'tiny.en-q8_0', language: 'en', language_probability: 1 });
    const truth = 'And so my fellow Americans ask not what your country can do for you ask what you can do for your country';
    expect(computeWordErrorRate(truth, transcript.text)).toBeLessThan(0.1);
    expect(transcript.utterances[0]!.start).toBeGreaterThan(7.1);
    expect(transcript.utterances[0]!.start).toBeLessThan(7.6);
    const words = transcript.utterances.flatMap((utterance) => utterance.words);
    for (const [n, { start, end, confidence }] of words.entries()) {
      expect(start).toBeGreaterThanOrEqual(words[n - 1]?.end ?? 7);
      expect(end).toBeLessThanOrEqual(18.1);
      expect(confidence).toBeGreaterThan(0);
    }
    expect(Object.keys(ran.used)).toEqual(expect.arrayContaining(['whisper', 'whisper:tiny.en-q8_0', 'silero-vad']));
  });

  it('rejects a language that the model does not support', async () => {
    await expect(transcribe(speech, 0, { settings, options: { language: 'de' } })).rejects.toMatchObject({
      code: 'unsupported-language',
    });
  });

  it('rejects a language that Whisper does not know', async () => {
    const base = { ...settings, 'whisper-model': model.replace('tiny.en', 'base') };
    await expect(transcribe(speech, 0, { settings: base, options: { language: 'xx' } })).rejects.toMatchObject({
      code: 'unsupported-language',
    });
  });

  it('does not wait for a starting server after an abort', async () => {
    const abort = new AbortController();
    const other = createWhisperServer(server, model, 1, exec);
    const decoding = other.decode(wav, fields, abort.signal);
    abort.abort(new Error('cancelled'));
    await expect(decoding).rejects.toThrow('cancelled');
    // Started already, so that the server ends with this file.
    await other.decode(wav, fields, never);
  });

  it('stops the server when its only request is aborted, and starts another one', { timeout: 120_000 }, async () => {
    await decoder.decode(wav, fields, never);
    const pid = findServer();
    const abort = new AbortController();
    const before = readCpuTime(pid);
    const decoding = decoder.decode(wav, { ...fields, beam_size: '8' }, abort.signal);
    decoding.catch(() => undefined);
    await vi.waitUntil(() => readCpuTime(pid) > before + 50, WAIT);
    abort.abort(new Error('cancelled'));
    await expect(decoding).rejects.toThrow('cancelled');
    await vi.waitUntil(() => !existsSync(`/proc/${pid}/exe`), WAIT);
    expect(await decoder.decode(wav, fields, never)).toMatchObject({ segments: expect.any(Array) as unknown });
  });

  it('reports the loss of the server as retryable and starts another one', { timeout: 120_000 }, async () => {
    await decoder.decode(wav, fields, never);
    const pid = findServer();
    const lost = decoder.decode(wav, fields, never);
    lost.catch(() => undefined);
    process.kill(pid, 'SIGKILL');
    await expect(lost).rejects.toMatchObject({ name: expect.stringMatching(/^(RetryableError|ToolError)$/) as string });
    expect(await decoder.decode(wav, fields, never)).toMatchObject({ segments: expect.any(Array) as unknown });
  });

  it('ends with the process that started it', { timeout: 120_000 }, async () => {
    const script = `
      const { createWhisperServer } = await import(${JSON.stringify(resolve('services/stage-deepspeech/whisper/whisper-server.ts'))});
      const { createExec } = await import(${JSON.stringify(resolve('shared/tools/exec.ts'))});
      const { readFileSync } = await import('node:fs');
      const server = createWhisperServer(${JSON.stringify(server)}, ${JSON.stringify(model)}, 1, createExec({ env: process.env }));
      await server.decode(new Uint8Array(readFileSync(${JSON.stringify(speech)})), ${JSON.stringify(fields)}, new AbortController().signal);
      const { listChildren } = await import(${JSON.stringify(resolve('loadgen/study/system/proc.ts'))});
      console.log(listChildren(process.pid).join());
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const [pid = ''] = output.toString().trim().split(',');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !existsSync(`/proc/${pid}/exe`), WAIT);
  });
});
