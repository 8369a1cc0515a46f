import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toDecibels, split, TOP_DBS } from '../../../services/stage-librosa/split.ts';
import { findMedia, NO_MEDIA } from '../../support/media.ts';
import { bytesOf } from '../../support/wav.ts';
import { computeSha256 } from '../../../shared/store/digest.ts';
import { analyseSamples } from './harness.ts';
import { bursts } from './signal.ts';

interface Recording {
  readonly samples: number;
  readonly sha256: string;
  readonly librosa: string;
  readonly intervals: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

function recording(name: string): Recording {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../recorded/librosa', `${name}.json`), 'utf8')) as Recording;
}

/** Decodes audio like `make.py`. */
function decode(path: string): Int16Array {
  const input = ['-nostdin', '-loglevel', 'error', '-i', path, '-vn', '-ac', '1', '-ar', '22050'];
  const bytes = execFileSync('ffmpeg', [...input, '-c:a', 'pcm_s16le', '-f', 's16le', '-'], { maxBuffer: 2 ** 26 });
  return new Int16Array(Uint8Array.from(bytes).buffer);
}

async function splits(samples: Int16Array): Promise<Recording['intervals']> {
  const analysis = await analyseSamples(samples);
  const dB = toDecibels(analysis.rms);
  return Object.fromEntries(TOP_DBS.map((topDb) => [topDb, split(dB, topDb, analysis.samples)]));
}

describe('split', () => {
  it.each([
    ['generated', bursts()],
    ['generated-short', bursts().subarray(0, 8_820)],
  ])('returns the intervals of librosa at all thresholds for the %s signal', async (name, samples) => {
    const expected = recording(name);
    expect(computeSha256(bytesOf(samples))).toBe(expected.sha256);
    expect(await splits(samples)).toEqual(expected.intervals);
  });

  it.for([
    'walk-and-talk.mp4',
    'walk-and-talk-copy.webm',
    'long-5min.mp4',
    'jfk.wav',
    'audio-only-sonnet1.mp4',
    'portrait-rotated.mp4',
    'car-detection-silent-track.mp4',
  ])('returns the intervals of librosa at all thresholds for %s', async (name, { skip }) => {
    const path = findMedia(name);
    if (!path) return skip(NO_MEDIA);
    const [expected, samples] = [recording(name), decode(path)];
    if (computeSha256(bytesOf(samples)) !== expected.sha256)
      return skip('this ffmpeg decodes to different samples than the recording');
    expect(await splits(samples)).toEqual(expected.intervals);
  });
});

describe('toDecibels', () => {
  it('returns dB relative to the loudest frame', () => {
    expect([...toDecibels(Float64Array.of(0.5, 0.05, 0.25))].map((level) => level.toFixed(2))).toEqual([
      '0.00',
      '-20.00',
      '-6.02',
    ]);
  });

  it('limits levels to -100 dB', () => {
    expect([...toDecibels(Float64Array.of(1, 0))]).toEqual([0, -100]);
  });

  it('returns equal levels for digital silence, which form one interval', () => {
    expect(split(toDecibels(new Float64Array(9)), 24, 4_200)).toEqual([[0, 4_200]]);
  });
});
