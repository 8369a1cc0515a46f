import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { digestFile, type Digest } from '../../shared/store/store.ts';
import type { Random } from '../../shared/core/random.ts';

/** A video of a load, hashed in advance: hashing at arrival time would delay the request. */
export interface Video extends Digest {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** Relative frequency. */
  readonly weight: number;
}

/** Reads a video. @param text `FILE` or `FILE=WEIGHT`. @throws PermanentError `no-video`. */
export async function readVideo(text: string, cwd: string): Promise<Video> {
  const [, file = text, weight = '1'] = /^(.+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const path = resolve(cwd, file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new PermanentError('no-video', `file ${file} does not exist: check the path`);
  if (Number(weight) === 0) throw new PermanentError('no-video', `the weight in ${text} must be above 0`);
  return { name: basename(path), path, weight: Number(weight), ...(await digestFile(path)) };
}

/** Creates a generator that draws videos in proportion to their weights. @param videos At least one. */
export function createMix(videos: readonly Video[], random: Random): () => Video {
  const total = videos.reduce((sum, { weight }) => sum + weight, 0);
  const last = videos.at(-1);
  if (!last) throw new PermanentError('no-video', 'a load needs a video: pass --video FILE');
  return () => {
    let left = random.next() * total;
    return videos.find(({ weight }) => (left -= weight) < 0) ?? last;
  };
}
