import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findMedia } from '../instance/requests.ts';
import type { Truth } from './score.ts';

/** A file with the truth about it. */
export interface AccuracyMedium {
  readonly name: string;
  readonly path: string;
  readonly truth: Truth;
}

const GENERATED_SECONDS = 30;

/** A melody of plucked notes with overtones and vibrato over a bass: harmonic sound in the range of voices, without words. */
const NOTE = '220*pow(2\\,mod(floor(t*2)*7\\,12)/12)';
const MUSIC = [1, 2, 3]
  .map((k) => `0.2/${k}*sin(2*PI*${k}*(${NOTE})*t+2*sin(2*PI*5*t))*exp(-3*mod(t\\,0.5))`)
  .concat('0.2*sin(2*PI*55*pow(2\\,mod(floor(t/2)*5\\,12)/12)*t)')
  .join('+');

/** Returns the media of the accuracy benchmark. @param dir Directory for generated files. @throws PermanentError `no-test-media`. */
export async function prepareAccuracyMedia(dir: string): Promise<AccuracyMedium[]> {
  const silent: Truth = { segments: [] };
  const car: Truth = { segments: [], scenes: [{ start: 0, end: 30, objects: ['car'] }], objects_may: ['truck'] };
  return [
    await readMedium('walk-and-talk.mp4'),
    await readMedium('long-5min.mp4'),
    { name: 'car-detection-silent-track.mp4', path: findMedia('car-detection-silent-track.mp4'), truth: car },
    { name: 'tones-no-speech.mp4', path: findMedia('odd/tones-no-speech.mp4'), truth: silent },
    { name: 'generated-music.wav', path: await generate(dir, 'generated-music.wav', `aevalsrc=${MUSIC}`), truth: silent },
    { name: 'generated-noise.wav', path: await generate(dir, 'generated-noise.wav', 'anoisesrc=c=pink:a=0.3'), truth: silent },
  ];
}

/** Reads a file of the test media with its truth. @throws PermanentError `no-test-media`. */
export async function readMedium(name: string): Promise<AccuracyMedium> {
  const path = findMedia(name);
  const truth = JSON.parse(await readFile(path.replace(/\.\w+$/, '.truth.json'), 'utf8')) as Truth;
  return { name, path, truth };
}

async function generate(dir: string, name: string, source: string): Promise<string> {
  const path = join(dir, name);
  const input = ['-f', 'lavfi', '-i', source, '-t', String(GENERATED_SECONDS), '-ac', '1', '-ar', '16000'];
  await promisify(execFile)('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...input, path]);
  return path;
}
