import { describe, expect, it } from 'vitest';
import {
  createSpeechDetector,
  detectSpeech,
  findSpeech,
  FRAME_SECONDS,
  SAMPLE_RATE,
} from '../../../services/stage-deepspeech/voice-activity.ts';
import { generateMedia, speech, writeMedia } from '../../support/media.ts';
import { wavFile } from '../../support/wav.ts';
import { extractSpeech } from './clip.ts';

/** Creates probabilities from parts of a number of frames and a probability each. */
function probabilities(...parts: readonly (readonly [frames: number, probability: number])[]): Float32Array {
  return Float32Array.from(parts.flatMap(([frames, probability]) => Array<number>(frames).fill(probability)));
}

const seconds = (frames: number): number => frames * FRAME_SECONDS;

describe('findSpeech', () => {
  it('finds none without speech', () => {
    expect(findSpeech(probabilities([100, 0.49]), seconds(100))).toEqual([]);
    expect(findSpeech(new Float32Array(0), 0)).toEqual([]);
  });

  it('splits at pauses, with a margin', () => {
    const spans = findSpeech(probabilities([50, 0], [50, 0.9], [30, 0], [50, 0.9], [50, 0]), seconds(230));
    expect(spans).toEqual([
      { start: seconds(50) - 0.2, end: seconds(100) + 0.2 },
      { start: seconds(130) - 0.2, end: seconds(180) + 0.2 },
    ]);
  });

  it('does not split at a breath or at uncertain frames', () => {
    expect(findSpeech(probabilities([50, 0.9], [10, 0], [20, 0.9], [40, 0.4], [10, 0.9]), seconds(130))).toEqual([
      { start: 0, end: seconds(130) },
    ]);
  });

  it('ignores a click', () => {
    expect(findSpeech(probabilities([50, 0], [4, 0.9], [50, 0]), seconds(104))).toEqual([]);
  });
});

describe('detectSpeech', () => {
  const find = async (path: string) => detectSpeech(path, await createSpeechDetector());

  it('finds the speech between two pauses', async () => {
    const spoken = speech('spoken.wav', 'The quick brown fox jumps over the lazy dog.');
    const path = generateMedia(
      'padded.wav',
      ...['-i', spoken, '-af', 'adelay=3000:all=1,apad=pad_dur=2', '-ac', '1', '-ar', String(SAMPLE_RATE)],
    );
    const { header, speech: spans } = await find(path);
    expect(header).toBeGreaterThan(0);
    expect(spans.length).toBeGreaterThan(0);
    expect(spans[0]!.start).toBeGreaterThan(2.5);
    expect(spans[0]!.start).toBeLessThan(3.5);
  });

  it.each([
    ['a tone', 'sine=frequency=440:duration=5'],
    ['two tones', "aevalsrc='0.4*sin(2*PI*220*t)+0.4*sin(2*PI*277*t)':d=5"],
    ['white noise', 'anoisesrc=color=white:amplitude=0.3:duration=5:seed=1'],
    ['pink noise', 'anoisesrc=color=pink:amplitude=0.5:duration=5:seed=1'],
    ['a melody', "aevalsrc='0.5*sin(2*PI*t*(220+110*floor(mod(t*3\\,4))))*exp(-3*mod(t\\,0.333))':d=5"],
  ])('finds no speech in %s', async (name, source) => {
    const path = extractSpeech(
      `${name.replaceAll(' ', '-')}.wav`,
      generateMedia(`raw-${name.replaceAll(' ', '-')}.wav`, '-f', 'lavfi', '-i', source),
    );
    expect((await find(path)).speech).toEqual([]);
  });

  it('pads the last frame', async () => {
    const { probabilities: found } = await find(writeMedia('short.wav', wavFile(new Int16Array(513), { rate: SAMPLE_RATE })));
    expect(found).toHaveLength(2);
  });
});
