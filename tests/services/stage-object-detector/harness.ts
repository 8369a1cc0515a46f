import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Detections, Frames } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import type { Detector } from '../../../services/stage-object-detector/detector.ts';
import { bundledGraphModel } from '../../../services/stage-object-detector/load-detector.ts';
import stage from '../../../services/stage-object-detector/stage.ts';
import { computeSha256 } from '../../../shared/store/digest.ts';
import { ffmpeg, findMedia, mediaFolder, writeMedia } from '../../support/media.ts';
import { runStageLocally, type Ran } from '../../support/stage-harness.ts';

/** A photograph of people (1280 × 1158), which is part of the package with the graph model. */
export const PHOTOGRAPH = join(dirname(bundledGraphModel()), '../assets/samples.jpg');

/** Creates a directory that is removed after the tests of this file. */
export function scratch(): string {
  return mkdtempSync(join(mediaFolder(), 'detector-'));
}

/** Extracts frames of a test video at the given times, in seconds, to a new directory. */
export function writeFrames(video: string, times: readonly number[]): string {
  const dir = scratch();
  for (const [n, time] of times.entries())
    ffmpeg('-ss', `${time}`, '-i', findMedia(video) ?? video, '-frames:v', '1', '-q:v', '3', join(dir, frameName(n)));
  return dir;
}

/** Returns the file name of the frame with a zero-based index. */
export function frameName(n: number): string {
  return `frame_${String(n + 1).padStart(4, '0')}.jpg`;
}

const sizeArgs = ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0'];

/** Creates the manifest of the frames in a directory, which have one size, at intervals of five seconds. */
export function createManifest(dir: string): Frames {
  const files = readdirSync(dir).filter((name) => name.endsWith('.jpg'));
  const [first] = files;
  const size = first ? execFileSync('ffprobe', [...sizeArgs, join(dir, first)], { encoding: 'utf8' }) : '';
  const [width = NaN, height = NaN] = size.split(',').map(Number);
  const frames = files.sort().map((file, n) => {
    return {
      file,
      sha256: computeSha256(readFileSync(join(dir, file))),
      time: n * 5,
      reason: 'interval' as const,
      width,
      height,
    };
  });
  return { start: 0, end: files.length * 5, interval: 5, frames };
}

/** Runs the stage on the frames in a directory. */
export async function detectIn(
  dir: string,
  resource: Detector,
  {
    threshold = 0.3,
    manifest = createManifest(dir),
    signal,
  }: { threshold?: number; manifest?: Frames; signal?: AbortSignal } = {},
): Promise<{ ran: Ran; detections: Detections }> {
  const item = { kind: kinds.frames, path: writeMedia('frames.json', JSON.stringify(manifest)), indices: { clip: 3 } };
  const siblings = manifest.frames.map(({ file }, n) => ({
    kind: kinds.frame,
    path: join(dir, file),
    indices: { clip: 3, frame: n + 1 },
  }));
  const ran = await runStageLocally(stage, item, { options: { threshold }, resource, siblings, ...(signal && { signal }) });
  return { ran, detections: await ran.json<Detections>(kinds.detections) };
}

/** Returns the labels of each frame. */
export function labelsOf(detections: Detections): string[][] {
  return detections.frames.map(({ objects }) => objects.map(({ label }) => label));
}

/** Returns whether the native library of TensorFlow.js is installed. The package can be installed without it. */
export function hasTensorflow(): boolean {
  try {
    return existsSync(join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json')), 'lib'));
  } catch {
    return false;
  }
}
