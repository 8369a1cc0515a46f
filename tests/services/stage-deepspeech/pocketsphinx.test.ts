import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-deepspeech/stage.ts';
import { batchArgs, controlFile } from '../../../services/stage-deepspeech/pocketsphinx.ts';
import { exec } from '../../support/exec.ts';
import { mediaFolder, findMedia, writeMedia } from '../../support/media.ts';
import { runStageLocally } from '../../support/stage-harness.ts';
import { extractSpeech, transcribe } from './clip.ts';
import { wavFile } from '../../support/wav.ts';
import { computeWordErrorRate } from './word-errors.ts';

/** Milliseconds: a fifth of a second's work each second of speech, on a machine that others use too. */
const LONG = 120_000;

const NUMBERS = 'one two three four five six seven eight nine ten';

/** The one of espeak-ng's voices that pocketsphinx understands best. */
function counted(): string {
  const path = join(mediaFolder(), 'voice.wav');
  execFileSync('espeak-ng', ['-v', 'en-us+klatt2', '-s', '140', '-w', path, NUMBERS]);
  return extractSpeech('counting 16k.wav', path);
}

const counting = counted();

interface Truth {
  readonly segments: readonly { readonly start: number; readonly end: number; readonly text: string }[];
}

describe('pocketsphinx_batch', () => {
  it('receives the utterances as frames of 10 ms, by index', () => {
    expect(
      controlFile([
        { start: 0, end: 1.23 },
        { start: 2.29, end: 3 },
      ]),
    ).toBe('pocketsphinx 0 123 0\npocketsphinx 229 300 1\n');
  });

  it('skips the header and keeps every frame', () => {
    const args = batchArgs('/model', '/a b', 78).join(' ');
    expect(args).toContain('-adchdr 78 -cepdir /a b -cepext .wav');
    expect(args).toContain('-remove_silence no');
  });
});

describe('pocketsphinx', () => {
  const film = findMedia('walk-and-talk.mp4');
  it.skipIf(!film)('recognises two words in three of clear speech, with their times', { timeout: LONG }, async () => {
    const truth = JSON.parse(await readFile(findMedia('walk-and-talk.truth.json')!, 'utf8')) as Truth;
    // Not from 0 s, to see that times are those of the source and not of the clip; the first segment is cut off.
    const [start, segments] = [9, truth.segments.slice(1)];
    const { transcript, ran } = await transcribe(extractSpeech('walk.wav', film!, start), start);

    const rate = computeWordErrorRate(segments.map(({ text }) => text).join(' '), transcript.text);
    console.info(`word error rate ${rate.toFixed(2)}`);
    expect(rate).toBeLessThan(0.4);
    expect(transcript).toMatchObject({ engine: 'pocketsphinx', model: 'en-us', language: 'en-US', start });
    expect(ran.used).toHaveProperty('pocketsphinx');

    for (const { start: from, end: to } of segments)
      expect(transcript.utterances.some((u) => Math.abs(u.start - from) < 0.6 && u.end < to + 0.8)).toBe(true);
    const words = transcript.utterances.flatMap((utterance) => utterance.words);
    for (const [i, word] of words.entries()) {
      expect(word.start).toBeGreaterThanOrEqual(words[i - 1]?.start ?? start);
      expect(word.end).toBeGreaterThan(word.start);
      expect(word.end).toBeLessThanOrEqual(transcript.end);
      expect(word.confidence).toBeLessThanOrEqual(1);
      expect(word.confidence).toBeGreaterThanOrEqual(0);
    }
    // "married", between "Had he" at 36.62 s and "a more amiable woman".
    expect(words.find(({ text }) => text === 'married')?.start).toBeCloseTo(37, 0);
  });

  const speech = findMedia('jfk.wav');
  it.skipIf(!speech)(
    'understands a speech in a hall, which it does not where it searches too little',
    { timeout: LONG },
    async () => {
      const { transcript } = await transcribe(extractSpeech('jfk16.wav', speech!));
      const said = 'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.';
      expect(computeWordErrorRate(said, transcript.text)).toBeLessThan(0.4);
    },
  );

  const long = findMedia('long-5min.mp4');
  it.skipIf(!long)('runs no engine on music', { timeout: LONG }, async () => {
    const { transcript, ran } = await transcribe(extractSpeech('music.wav', long!, 139, 169), 139);
    expect(transcript).toMatchObject({ engine: 'none', text: '' });
    expect(ran.executed).toEqual([]);
  });

  it('recognises counting by a synthetic voice', { timeout: LONG }, async () => {
    const { transcript } = await transcribe(counting, 3);
    expect(computeWordErrorRate(NUMBERS, transcript.text)).toBeLessThan(0.5);
    expect(transcript.utterances[0]?.start).toBeGreaterThanOrEqual(3);
  });

  it('finds the same in a file whose name and header are unusual', { timeout: LONG }, async () => {
    const file = await readFile(counting);
    // The header that ffmpeg writes has a LIST chunk; this one has none.
    const data = file.subarray(file.indexOf('data') + 8);
    const bare = writeMedia('without a list.wav', wavFile(new Int16Array(Uint8Array.from(data).buffer), { rate: 16_000 }));
    const [one, other] = [await transcribe(counting), await transcribe(bare)];
    expect(one.transcript.text).not.toBe('');
    expect(one.transcript).toEqual(other.transcript);
  });
});

describe('stage-deepspeech', () => {
  const broken = writeMedia('broken.wav', 'RIFF but no sound');
  const run = (path: string, given: Parameters<typeof runStageLocally>[2] = {}): Promise<unknown> =>
    runStageLocally(stage, { kind: kinds.speech, path, indices: { clip: 1 }, attributes: { start: 0, end: 1 } }, given);
  it('rejects a damaged WAV file', async () => {
    await expect(run(broken)).rejects.toMatchObject({ code: 'unreadable-audio' });
  });

  it('rejects other languages than English with pocketsphinx', async () => {
    await expect(run(counting, { options: { speech: 'pocketsphinx', language: 'de' } })).rejects.toMatchObject({
      code: 'unsupported-language',
    });
  });

  it('throws no-speech-engine without the program or its model', async () => {
    const nowhere = join(mediaFolder(), 'nowhere');
    const noProgram = run(counting, { exec: (command, args, options) => exec(join(nowhere, command), args, options) });
    await expect(noProgram).rejects.toMatchObject({
      code: 'no-speech-engine',
      message: expect.stringContaining('pocketsphinx-en-us') as string,
    });
    const noModel = run(counting, { settings: { 'pocketsphinx-model': nowhere } });
    await expect(noModel).rejects.toMatchObject({ code: 'no-speech-engine' });
  });

  it('throws no-whisper-model if whisper has no model', async () => {
    await expect(run(counting, { options: { speech: 'whisper' } })).rejects.toMatchObject({
      code: 'no-whisper-model',
      message: expect.stringContaining('fave models pull') as string,
    });
  });

  it('throws tool-failed if the program stops early', async () => {
    const gaveUp = run(counting, {
      exec: async (_, args) => {
        await writeFile(args[args.indexOf('-hyp') + 1]!, '');
        return { stdout: '', stderr: '', duration: 0 };
      },
    });
    await expect(gaveUp).rejects.toMatchObject({ code: 'tool-failed' });
  });
});

describe('silence', () => {
  it.each([
    ['digital', new Int16Array(32_000)],
    ['of a quiet room', Int16Array.from({ length: 32_000 }, (_, i) => ((i * 7919) % 41) - 20)],
    ['of no length', new Int16Array(0)],
  ])('returns an empty transcript without running an engine: %s', async (name, samples) => {
    const path = writeMedia(`silence ${name}.wav`, wavFile(samples, { rate: 16_000 }));
    const ran = await runStageLocally(stage, {
      kind: kinds.speech,
      path,
      attributes: { start: 5, end: 7 },
      indices: { clip: 1 },
    });
    expect(await ran.json(kinds.transcript)).toMatchObject({ engine: 'none', text: '', utterances: [], start: 5, end: 7 });
    expect(ran.executed).toEqual([]);
  });

  it('returns an empty transcript with the option speech=none', async () => {
    const tone = writeMedia(
      'tone.wav',
      wavFile(
        Int16Array.from({ length: 16_000 }, (_, i) => (i % 40) * 500 - 10_000),
        { rate: 16_000 },
      ),
    );
    const { transcript, ran } = await transcribe(tone, 0, { options: { speech: 'none' } });
    expect(transcript).toMatchObject({ engine: 'none', model: null, text: '' });
    expect(ran.executed).toEqual([]);
    expect(ran.used).toEqual({ none: '1' });
  });
});
