import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMix, readVideo } from '../../loadgen/arrivals/mix.ts';
import { randomOf } from '../../shared/core/random.ts';
import { mediaFolder } from '../support/media.ts';

it('draws videos by weight, and equal sequences for equal seeds', async () => {
  const dir = mediaFolder();
  await writeFile(join(dir, 'a=b.mp4'), 'a');
  await writeFile(join(dir, 'c.mp4'), 'ccc');
  const videos = [await readVideo('a=b.mp4=3', dir), await readVideo('c.mp4', dir)];
  expect(videos).toMatchObject([
    { name: 'a=b.mp4', weight: 3, size: 1 },
    { name: 'c.mp4', weight: 1, size: 3 },
  ]);
  const draw = (seed: number): string[] => {
    const next = createMix(videos, randomOf(seed));
    return Array.from({ length: 1_000 }, () => next().name);
  };
  // 750 ± 4 σ.
  expect(Math.abs(draw(1).filter((name) => name === 'a=b.mp4').length - 750)).toBeLessThan(55);
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

it('rejects a video that is missing or a directory', async () => {
  await expect(readVideo('none.mp4=2', mediaFolder())).rejects.toThrow('file none.mp4 does not exist: check the path');
  await expect(readVideo('.', mediaFolder())).rejects.toThrow('file . does not exist');
});
