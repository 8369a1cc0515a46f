import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRecord } from '../../../schemas/generated/types.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { realClock } from '../../arrivals/clock.ts';
import { runLoad } from '../../run/load.ts';
import type { Video } from '../../arrivals/mix.ts';
import { bucketTarget } from '../../targets/bucket.ts';
import type { Observed } from './snapshots.ts';

/** Seconds that one request, and coming to rest, may take. */
const PATIENCE = 180;

/** Brings a system to where its regime means a load to find it: replicas that always run have worked, others are not there. */
export async function warmUp(observed: Observed, video: Video, signal: AbortSignal): Promise<void> {
  const { stages } = observed.system.settings;
  if (Object.values(stages).some(({ min }) => min > 0)) await oneRequest(observed, video, signal);
  else await untilAtRest(observed, signal);
}

/** Sends a request that nobody times, and waits for its end. @throws PermanentError `warm-up-failed`. */
export async function oneRequest({ store, bus }: Observed, video: Video, signal: AbortSignal): Promise<LoadRecord> {
  const records: LoadRecord[] = [];
  await runLoad({
    schedule: { times: [0], duration: 0 },
    videos: [video],
    seed: 0,
    clock: realClock(),
    target: bucketTarget(store, bus, { memo: 'false' }),
    wait: PATIENCE,
    signal,
    record: (record) => records.push(record),
  });
  signal.throwIfAborted();
  const [record] = records;
  if (record?.status !== 'completed')
    throw new PermanentError(
      'warm-up-failed',
      `the warm-up's request ended as ${record?.status ?? 'nothing'}: ${record?.error ?? 'no reason given'}`,
    );
  return record;
}

/** @throws PermanentError `not-at-rest`. */
async function untilAtRest({ system }: Observed, signal: AbortSignal): Promise<void> {
  const stages = Object.keys(system.settings.stages);
  for (const end = Date.now() + PATIENCE * 1_000; Date.now() < end;) {
    const replicas = await system.replicas();
    if (stages.every((stage) => replicas[stage] === undefined)) return;
    await sleep(200, undefined, { signal });
  }
  throw new PermanentError('not-at-rest', `some stages still had replicas after ${PATIENCE} s without work`);
}
