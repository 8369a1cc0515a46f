import { JetStreamApiError } from '@nats-io/jetstream';
import type { RequestState } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Bus } from '../bus/connection.ts';
import { publishLifecycle } from '../bus/events.ts';
import { streams, subjects } from '../bus/topology.ts';
import { PermanentError } from '../core/errors.ts';
import { metadataPaths, pathOf, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { requireState } from './read-request.ts';
import { readLastRun, type LastRun } from './start-run.ts';

/**
 * Cancels the open run of a request: workers abort its items and skip its queued ones. Returns the number of the run.
 * @throws UsageError for an invalid id, PermanentError `unknown-request`, `not-accepted`, `already-ended`.
 */
export async function cancelRequest(bus: Bus, store: Store, id: string, reason: string): Promise<number> {
  const { input = '', options = {} } = await requireState(store, id);
  const errors = [{ code: 'cancelled', message: reason, file: pathOf(kinds.input, { file: input }) }];
  for (;;) {
    const { lastSequence, run, ended } = await readLastLifecycle(bus, store, id);
    if (ended) throw new PermanentError('already-ended', `request ${id} has already ended (run ${run}: ${ended})`);
    // Workers check the marker before an item; the event aborts running items.
    await store.put(requestPrefix(id) + metadataPaths.cancelled, `${JSON.stringify({ run, reason })}\n`, {
      headers: { 'content-type': 'application/json' },
    });
    const event = { request_id: id, run, status: 'cancelled' as const, input, options, errors };
    if (await publishCancelled(bus, 'fave', event, lastSequence)) return run;
  }
}

/** Cancels the run of a request that was removed from the bucket, unless the run has ended. Stores nothing. */
export async function cancelRemovedRun(bus: Bus, store: Store, id: string, run: number): Promise<void> {
  const errors = [{ code: 'cancelled', message: 'the request was removed from the bucket', file: requestPrefix(id) }];
  const isOpen = async (): Promise<number | undefined> => {
    const last = await readLastLifecycle(bus, store, id);
    return last.ended || last.run !== run ? undefined : last.lastSequence;
  };
  for (let sequence = await isOpen(); sequence !== undefined; sequence = await isOpen())
    if (await publishCancelled(bus, 'tracker', { request_id: id, run, status: 'cancelled', errors }, sequence)) return;
}

/** Returns the last run of a request and the sequence of its last lifecycle event. */
async function readLastLifecycle(bus: Bus, store: Store, id: string): Promise<LastRun & { readonly lastSequence: number }> {
  const last = await bus.manager.streams.getMessage(streams.requests, { last_by_subj: subjects.lifecycle(id, '*') });
  return { ...((await readLastRun(bus, store, id)) ?? { run: 1, ended: undefined }), lastSequence: last?.seq ?? 0 };
}

/**
 * Publishes `cancelled`. The event is stored only if no lifecycle event was published since `lastSequence`, so that a run is either
 * completed or cancelled.
 * @returns `false` if an event was published in between: the run may have ended.
 */
async function publishCancelled(bus: Bus, source: string, event: RequestState, lastSequence: number): Promise<boolean> {
  const expect = { lastSubjectSequence: lastSequence, lastSubjectSequenceSubject: subjects.lifecycle(event.request_id, '*') };
  try {
    await publishLifecycle(bus, source, 'cancelled', event, { expect });
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError) return false;
    throw error;
  }
}
