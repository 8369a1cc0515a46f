import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../support/exec.ts';
import { lastTime, measureDuration } from '../../../shared/media/duration.ts';
import { chirp, generateMedia, mediaFolder, createPicture } from '../../support/media.ts';

test('reads the last time of the progress report', () => {
  expect(lastTime(['frame=1', 'out_time_us=1500000', 'progress=continue', 'out_time_us=4000000', 'progress=end'])).toBe(4);
  expect(lastTime(['out_time_us=N/A'])).toBe(0);
  expect(lastTime([])).toBe(0);
});

const whole = () =>
  generateMedia(
    'whole.mp4',
    ...createPicture(),
    ...chirp(),
    '-c:v',
    'libx264',
    '-c:a',
    'aac',
    '-shortest',
    '-movflags',
    '+faststart',
  );

test('returns the duration of the header if the packets agree', async () => {
  expect(await measureDuration(exec, whole(), 4.02)).toBe(4.02);
});

test('measures a file whose header states none or too much', async () => {
  expect(await measureDuration(exec, whole(), 0)).toBeCloseTo(4, 1);
  expect(await measureDuration(exec, whole(), 3600)).toBeCloseTo(4, 1);
});

test('measures the received part of an interrupted download', async () => {
  const bytes = readFileSync(whole());
  const cut = join(mediaFolder(), 'cut.mp4');
  writeFileSync(cut, bytes.subarray(0, Math.round(bytes.length / 2)));
  const duration = await measureDuration(exec, cut, 4);
  expect(duration).toBeGreaterThan(0.5);
  expect(duration).toBeLessThan(3.5);
});
