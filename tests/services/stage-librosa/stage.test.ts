import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Segments } from '../../../schemas/generated/types.ts';
import { findMedia, generateMedia, NO_MEDIA, writeMedia } from '../../support/media.ts';
import { wavFile } from '../../support/wav.ts';
import { runStage, writeSamples } from './harness.ts';
import { bursts, sequence } from './signal.ts';

/** Returns the audio of a test video like stage-ffmpeg-0, or undefined if this machine has no test media. */
function audioOf(name: string): string | undefined {
  const input = findMedia(name);
  return input && generateMedia(`${name}.wav`, '-i', input, '-vn', '-ac', '1', '-ar', '22050', '-c:a', 'pcm_s16le');
}

function expectCovered({ clips, duration }: Segments): void {
  expect(clips[0].start).toBe(0);
  expect(clips.at(-1)?.end).toBe(duration);
  for (const [i, clip] of clips.entries()) {
    expect(clip.end).toBeGreaterThan(clip.start);
    if (i > 0) expect(clip.start).toBe(clips[i - 1]?.end);
  }
}

const cutsOf = ({ clips }: Segments): number[] => clips.slice(1).map((clip) => clip.start);

describe('stage-librosa', () => {
  it.each(['silence', 'fave'] as const)(
    'covers the whole audio with segmentation %s, with equal bytes per run',
    async (segmentation) => {
      const path = writeSamples(bursts());
      const segments = await runStage(path, segmentation);
      expect(segments).toMatchObject({ segmentation, duration: Math.round((807_508 / 22_050) * 1e6) / 1e6 });
      expect(segments.clips.length).toBeGreaterThan(segmentation === 'fave' ? 1 : 0);
      expectCovered(segments);
      expect(JSON.stringify(await runStage(path, segmentation))).toBe(JSON.stringify(segments));
    },
  );

  it('cuts speech-like audio in its pauses', async () => {
    const segments = await runStage(writeSamples(sequence([20, 9_000], [8, 12], [20, 12_000], [7, 12], [20, 9_000])));
    expect(cutsOf(segments).map(Math.floor)).toEqual([24, 51]);
  });

  it.each([
    ['digital silence', new Int16Array(66_150), 3],
    ['0.4 seconds', bursts().subarray(0, 8_820), 0.4],
    ['one sample', Int16Array.of(9), 0.000045],
  ])('creates one clip from %s', async (_, samples, duration) => {
    for (const segmentation of ['silence', 'fave'] as const) {
      const segments = await runStage(writeSamples(samples), segmentation);
      expect(segments.clips).toHaveLength(1);
      expect(segments.duration).toBe(duration);
      expectCovered(segments);
    }
  });

  it('limits the number of clips: fails with segmentation fave, cuts longer clips with silence', async () => {
    // A tone per second, which the original method cuts into as many clips.
    const path = writeSamples(sequence(...Array.from({ length: 300 }, (_, n): [number, number] => [0.5, n % 2 ? 9_000 : 9])));
    const settings = { 'max-clips': 148 };
    expect((await runStage(path, 'fave')).clips).toHaveLength(149);
    await expect(runStage(path, 'fave', { settings })).rejects.toMatchObject({
      code: 'too-many-clips',
      message: 'the audio would be cut into 149 clips; the limit is 148 (FAVE_MAX_CLIPS)',
    });
    const { clips } = await runStage(path, 'silence', { settings: { 'max-clips': 10 } });
    expect(clips.length).toBeLessThanOrEqual(10);
  });

  it('rejects truncated audio', async () => {
    const truncated = writeMedia('truncated.wav', wavFile(bursts()).subarray(0, 5_000));
    await expect(runStage(truncated)).rejects.toMatchObject({ code: 'unreadable-audio' });
  });

  it('stops on abort', async () => {
    const reason = new Error('deadline');
    await expect(runStage(writeSamples(bursts()), 'silence', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('leaves a video of one minute in one clip', async ({ skip }) => {
    const path = audioOf('walk-and-talk.mp4');
    if (!path) return skip(NO_MEDIA);
    expect((await runStage(path)).clips).toHaveLength(1);
  });

  it('cuts long-5min.mp4 where nobody speaks', async ({ skip }) => {
    const path = audioOf('long-5min.mp4');
    if (!path) return skip(NO_MEDIA);
    const segments = await runStage(path);
    expectCovered(segments);
    for (const { start, end } of segments.clips) expect(end - start >= 15 && end - start <= 90).toBe(true);
    const { segments: spoken } = JSON.parse(await readFile(findMedia('long-5min.truth.json')!, 'utf8')) as {
      segments: { start: number; end: number }[];
    };
    for (const cut of cutsOf(segments))
      expect(
        spoken.some(({ start, end }) => start < cut && cut < end),
        String(cut),
      ).toBe(false);
  });

  it('applies the first threshold and whole seconds with segmentation fave', async ({ skip }) => {
    const path = audioOf('walk-and-talk.mp4');
    if (!path) return skip(NO_MEDIA);
    const segments = await runStage(path, 'fave');
    expectCovered(segments);
    // librosa returns 40 intervals at 24 dB, between 54 / 30 and 54 / 0.1.
    expect(segments.top_db).toBe(24);
    expect(segments.clips.slice(0, -1).every(({ end }) => Number.isInteger(end))).toBe(true);
  });
});
