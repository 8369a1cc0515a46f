import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRecord } from '../../../schemas/generated/types.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { realClock } from '../../arrivals/clock.ts';
import { runLoad } from '../../run/load.ts';
import type { Video } from '../../arrivals/mix.ts';
import { createBucketTarget } from '../../targets/bucket.ts';
import type { ObservedSystem } from './snapshots.ts';

/** Timeout for one request and for scaling to zero, in seconds. */
const WARM_UP_TIMEOUT_SECONDS = 180;

/** Brings a system to the initial state of its regime: permanent replicas have processed a request, other stages have no replicas. */
export async function warmUp(observed: ObservedSystem, video: Video, signal: AbortSignal): Promise<void> {
  const { stages } = observed.system.settings;
  if (Object.values(stages).some(({ min }) => min > 0)) await runOneRequest(observed, video, signal);
  else await waitUntilIdle(observed, signal);
}

/** Sends one unmeasured request and waits for its end. @throws PermanentError `warm-up-failed`. */
export async function runOneRequest({ store, bus }: ObservedSystem, video: Video, signal: AbortSignal): Promise<LoadRecord> {
  const records: LoadRecord[] = [];
  await runLoad({
    schedule: { times: [0], duration: 0 },
    videos: [video],
    seed: 0,
    clock: realClock(),
    target: createBucketTarget(store, bus, { memo: 'false' }),
    wait: WARM_UP_TIMEOUT_SECONDS,
    signal,
    record: (record) => records.push(record),
  });
  signal.throwIfAborted();
  const [record] = records;
  if (record?.status !== 'completed')
    throw new PermanentError(
      'warm-up-failed',
      `the warm-up request ended as ${record?.status ?? 'unknown'}: ${record?.error ?? 'no reason given'}`,
    );
  return record;
}

/** @throws PermanentError `not-at-rest`. */
async function waitUntilIdle({ system }: ObservedSystem, signal: AbortSignal): Promise<void> {
  const stages = Object.keys(system.settings.stages);
  for (const end = Date.now() + WARM_UP_TIMEOUT_SECONDS * 1_000; Date.now() < end;) {
    const replicas = await system.replicas();
    if (stages.every((stage) => replicas[stage] === undefined)) return;
    await sleep(200, undefined, { signal });
  }
  throw new PermanentError('not-at-rest', `stages still had replicas after ${WARM_UP_TIMEOUT_SECONDS} s without items`);
}
