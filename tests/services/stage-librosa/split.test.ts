import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../../services/stage-librosa/analyse.ts';
import { toDecibels, split, TOP_DBS } from '../../../services/stage-librosa/split.ts';
import { bytesOf, wavFile } from './harness.ts';
import { bursts } from './signal.ts';

interface Recording {
  readonly samples: number;
  readonly sha256: string;
  readonly librosa: string;
  readonly intervals: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const media = process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../../shared/media');

function recording(name: string): Recording {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../recorded/librosa', `${name}.json`), 'utf8')) as Recording;
}

function sha256(samples: Int16Array): string {
  return createHash('sha256').update(bytesOf(samples)).digest('hex');
}

/** What `make.py` hands to librosa. */
function decode(path: string): Int16Array {
  const input = ['-nostdin', '-loglevel', 'error', '-i', path, '-vn', '-ac', '1', '-ar', '22050'];
  const bytes = execFileSync('ffmpeg', [...input, '-c:a', 'pcm_s16le', '-f', 's16le', '-'], { maxBuffer: 2 ** 26 });
  return new Int16Array(Uint8Array.from(bytes).buffer);
}

async function splits(samples: Int16Array): Promise<Recording['intervals']> {
  const analysis = await analyse(await wavFile(samples), new AbortController().signal);
  const dB = toDecibels(analysis.rms);
  return Object.fromEntries(TOP_DBS.map((topDb) => [topDb, split(dB, topDb, analysis.samples)]));
}

describe("split gives librosa's intervals at all 26 thresholds", () => {
  it.each([
    ['generated', bursts()],
    ['generated-short', bursts().subarray(0, 8_820)],
  ])('%s signal', async (name, samples) => {
    const expected = recording(name);
    expect(sha256(samples)).toBe(expected.sha256);
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
  ])('%s', async (name, { skip }) => {
    const path = join(media, name);
    if (!existsSync(path)) return skip(`${name} is not in FAVE_TEST_MEDIA`);
    const [expected, samples] = [recording(name), decode(path)];
    if (sha256(samples) !== expected.sha256) return skip('this ffmpeg decodes to other samples than the recording was made of');
    expect(await splits(samples)).toEqual(expected.intervals);
  });
});

describe('levels', () => {
  it('are dB below the loudest frame', () => {
    expect([...toDecibels(Float64Array.of(0.5, 0.05, 0.25))].map((level) => level.toFixed(2))).toEqual([
      '0.00',
      '-20.00',
      '-6.02',
    ]);
  });

  it('go no lower than 100 dB below full scale', () => {
    expect([...toDecibels(Float64Array.of(1, 0))]).toEqual([0, -100]);
  });

  it('are all the loudest in digital silence, which so is one interval', () => {
    expect(split(toDecibels(new Float64Array(9)), 24, 4_200)).toEqual([[0, 4_200]]);
  });
});
