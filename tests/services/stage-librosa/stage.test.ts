import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytesOf, chunk, format, runStage, temporary, wav, wavFile, type Segments } from './harness.ts';
import { bursts, sequence } from './signal.ts';

const media = process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../../shared/media');

/** Audio of a shared medium, or undefined when it is absent. */
async function audioOf(name: string): Promise<string | undefined> {
  const input = join(media, name);
  if (!existsSync(input)) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'fave-librosa-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const output = join(directory, 'audio.wav');
  const args = ['-nostdin', '-loglevel', 'error', '-i', input, '-vn', '-ac', '1', '-ar', '22050', '-c:a', 'pcm_s16le', output];
  execFileSync('ffmpeg', args);
  return output;
}

function expectCovered({ clips, duration }: Segments): void {
  expect(clips[0]?.start).toBe(0);
  expect(clips.at(-1)?.end).toBe(duration);
  for (const [i, clip] of clips.entries()) {
    expect(clip.end).toBeGreaterThan(clip.start);
    if (i > 0) expect(clip.start).toBe(clips[i - 1]?.end);
  }
}

const cutsOf = ({ clips }: Segments): number[] => clips.slice(1).map((clip) => clip.start);

describe('stage-librosa', () => {
  it.each(['silence', 'fave'] as const)(
    'covers all of the audio by the rule %s, each time with equal bytes',
    async (segmentation) => {
      const path = await wavFile(bursts());
      const segments = await runStage(path, segmentation);
      expect(segments).toMatchObject({ segmentation, duration: Math.round((807_508 / 22_050) * 1e6) / 1e6 });
      expect(segments.clips.length).toBeGreaterThan(1);
      expectCovered(segments);
      expect(JSON.stringify(await runStage(path, segmentation))).toBe(JSON.stringify(segments));
    },
  );

  it('cuts speech-like audio in its pauses', async () => {
    const segments = await runStage(await wavFile(sequence([8, 9_000], [2, 12], [9, 12_000], [1.4, 12], [7, 9_000])));
    expect(cutsOf(segments).map(Math.round)).toEqual([9, 20]);
  });

  it.each([
    ['digital silence', new Int16Array(66_150), 3],
    ['0.4 seconds', bursts().subarray(0, 8_820), 0.4],
    ['one sample', Int16Array.of(9), 0.000045],
  ])('makes one clip of %s', async (_, samples, duration) => {
    for (const segmentation of ['silence', 'fave'] as const) {
      const segments = await runStage(await wavFile(samples), segmentation);
      expect(segments.clips).toHaveLength(1);
      expect(segments.duration).toBe(duration);
      expectCovered(segments);
    }
  });

  it('says so when the audio is corrupt', async () => {
    const cut = wav(format(), chunk('data', bytesOf(bursts()))).subarray(0, 5_000);
    await expect(runStage(await temporary(cut))).rejects.toMatchObject({ code: 'unreadable-audio' });
  });

  it('stops when it is told to', async () => {
    const reason = new Error('deadline');
    await expect(runStage(await wavFile(bursts()), 'silence', AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('cuts walk-and-talk.mp4 once in each of its pauses', async ({ skip }) => {
    const path = await audioOf('walk-and-talk.mp4');
    if (!path) return skip('walk-and-talk.mp4 is not in FAVE_TEST_MEDIA');
    const cuts = cutsOf(await runStage(path));
    // Between the speech segments of walk-and-talk.truth.json.
    for (const [from, to] of [
      [7.79, 10.31],
      [12.84, 15.89],
      [26.05, 29.87],
      [34.69, 36.62],
      [42.23, 45.16],
    ] as const)
      // prettier-ignore
      expect(cuts.filter((cut) => from < cut && cut < to)).toHaveLength(1);
  });

  it('cuts music without pauses too, in long-5min.mp4', async ({ skip }) => {
    const path = await audioOf('long-5min.mp4');
    if (!path) return skip('long-5min.mp4 is not in FAVE_TEST_MEDIA');
    const segments = await runStage(path);
    expectCovered(segments);
    for (const { start, end } of segments.clips) expect(end - start >= 5 && end - start <= 30).toBe(true);
    expect(cutsOf(segments).some((cut) => cut > 139 && cut < 169)).toBe(true);
    // Two sentences a second apart: the cut is between them.
    expect(cutsOf(segments).some((cut) => cut > 211.78 && cut < 213.01)).toBe(true);
  });

  it('takes the first threshold and whole seconds by the rule fave', async ({ skip }) => {
    const path = await audioOf('walk-and-talk.mp4');
    if (!path) return skip('walk-and-talk.mp4 is not in FAVE_TEST_MEDIA');
    const segments = await runStage(path, 'fave');
    expectCovered(segments);
    // 40 intervals at 24 dB (recorded of librosa), between 54 / 30 and 54 / 0.1.
    expect(segments.top_db).toBe(24);
    expect(segments.clips.slice(0, -1).every(({ end }) => Number.isInteger(end))).toBe(true);
  });
});
