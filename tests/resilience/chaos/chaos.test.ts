import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../infra/process/paths.ts';
import '../../support/built-servers.ts';
import { runChaos } from './chaos.ts';
import type { FaultName } from './faults.ts';

/** Faults that last for seconds, so the run takes less than four minutes. */
const quick: readonly FaultName[] = [
  'kill-service',
  'minio-stop',
  'kill-service',
  'fast-cut',
  'duplicates',
  'disk-full',
  'slow-store',
  'kill-service',
];

it('ends each request once with its complete tree, under load and faults', { timeout: 600_000 }, async ({ skip }) => {
  if (!statSync(join(root, 'dist', 'service.mjs'), { throwIfNoEntry: false }))
    return skip('there is no bundle: run `npm run build` first');
  const report = await runChaos({ seed: 4, minutes: 1, faults: quick, videos: 2, open: 2, progress: () => undefined });
  expect(report.broken).toEqual([]);
  expect(report.faults.length).toBeGreaterThanOrEqual(3);
  expect(report.requests.in).toBeGreaterThan(2);
  expect(report.requests.completed).toBe(report.requests.in);
});
