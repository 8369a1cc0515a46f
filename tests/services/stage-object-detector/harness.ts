import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pino } from 'pino';
import type { Detections, Frames } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { exec } from '../../../shared/tools/exec.ts';
import type { Item } from '../../../shared/pipeline/stage.ts';
import { type Detector, shippedModel } from '../../../services/stage-object-detector/detector.ts';
import { run } from '../../../services/stage-object-detector/run.ts';

const MEDIA = process.env['FAVE_TEST_MEDIA'] ?? resolve(import.meta.dirname, '../../../../shared/media');

/** Why tests on real footage are skipped, or nothing. */
export const noMedia = existsSync(join(MEDIA, 'walk-and-talk.mp4')) ? undefined : `no test media in ${MEDIA} (FAVE_TEST_MEDIA)`;

/** A picture of people that `@vladmandic/human` ships: 1280 × 1158, a group photograph below a row of small ones. */
export const PHOTOGRAPH = join(dirname(shippedModel()), '../assets/samples.jpg');

/** A directory that is removed by {@link cleanUp}. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'fave-detector-'));
  made.push(dir);
  return dir;
}

const made: string[] = [];

export function cleanUp(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
}

/** Still pictures of a test video at the given seconds, as frame_0001.jpg … in a directory of their own. */
export function writeFrames(video: string, seconds: readonly number[]): string {
  const dir = scratch();
  for (const [n, second] of seconds.entries()) {
    const output = join(dir, frameName(n));
    execFileSync('ffmpeg', [
      '-v',
      'error',
      '-ss',
      String(second),
      '-i',
      join(MEDIA, video),
      '-frames:v',
      '1',
      '-q:v',
      '3',
      output,
    ]);
  }
  return dir;
}

export function frameName(n: number): string {
  return `frame_${String(n + 1).padStart(4, '0')}.jpg`;
}

/** The manifest of the pictures in a directory, five seconds apart. */
export function createManifest(dir: string): Frames {
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.jpg'))
    .sort();
  const frames = files.map((file, n) => {
    const size = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', join(dir, file)],
      { encoding: 'utf8' },
    );
    const [width = NaN, height = NaN] = size.split(',').map(Number);
    return {
      file,
      sha256: createHash('sha256')
        .update(readFileSync(join(dir, file)))
        .digest('hex'),
      time: n * 5,
      width,
      height,
    };
  });
  return { start: 0, end: files.length * 5, interval: 5, frames };
}

/** What the stage puts for a manifest of pictures in `dir`, and what it says it used. */
export async function detectIn(dir: string, detector: Detector, threshold = 0.3, frames = createManifest(dir)) {
  const stored: { name: string; value: Detections }[] = [];
  const used: Record<string, string> = {};
  const item = itemOf(dir, frames);
  const workDir = join(dir, 'work');
  mkdirSync(workDir, { recursive: true });
  await run(item, {
    options: { threshold },
    settings: { 'detector-model': '', 'detector-backend': 'auto' },
    resource: detector,
    outputs: {
      file: () => Promise.reject(new Error('the stage stores no files')),
      json: (kind, value) => Promise.resolve({ sha256: '', size: stored.push({ name: kind.name, value: value as Detections }) }),
    },
    exec,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    dir: workDir,
    recordModel: (name, version) => void (used[name] = version),
  });
  return { stored, used, detections: stored[0]!.value };
}

/** The labels of each frame. */
export function labelsOf(detections: Detections): string[][] {
  return detections.frames.map(({ objects }) => objects.map(({ label }) => label));
}

function itemOf(dir: string, frames: Frames): Item {
  const about = { attributes: {}, size: 1, sha256: () => Promise.resolve('') };
  return {
    ...about,
    id: 'clip_0003',
    kind: kinds.frames,
    name: 'frames.json',
    indices: { clip: 3 },
    file: () => Promise.reject(new Error('the manifest is read as JSON')),
    json: () => Promise.resolve(frames),
    sibling: (kind, indices = {}) => {
      const path = join(dir, frameName((indices.frame ?? 0) - 1));
      if (kind !== kinds.frame || indices.clip !== 3 || !existsSync(path)) {
        return Promise.reject(new PermanentError('missing-artifact', `no ${basename(path)}`));
      }
      const unread = () => Promise.reject(new Error('a frame is no JSON'));
      return Promise.resolve({ ...about, kind, name: basename(path), indices, file: () => Promise.resolve(path), json: unread });
    },
  };
}
