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
import { readLastRun } from './start-run.ts';

/**
 * Cancels the open run of a request: workers abort its items and skip its queued ones. Returns the number of the run.
 * @throws UsageError for an invalid id, PermanentError `unknown-request`, `not-accepted`, `already-ended`.
 */
export async function cancelRequest(bus: Bus, store: Store, id: string, reason: string): Promise<number> {
  const { input = '', options = {} } = await requireState(store, id);
  const errors = [{ code: 'cancelled', message: reason, file: pathOf(kinds.input, { file: input }) }];
  for (;;) {
    const run = await tryToCancel(bus, store, { request_id: id, status: 'cancelled', input, options, errors });
    if (run !== undefined) return run;
  }
}

/**
 * Stores the marker that workers check before an item, then publishes `cancelled`, which aborts running items. The event is
 * stored only if no lifecycle event was published since the run was read, so that a run is either completed or cancelled.
 * @returns `undefined` if an event was published in between: the run may have ended.
 */
async function tryToCancel(bus: Bus, store: Store, event: Omit<RequestState, 'run'>): Promise<number | undefined> {
  const id = event.request_id;
  const anyLifecycle = subjects.lifecycle(id, '*');
  const last = await bus.manager.streams.getMessage(streams.requests, { last_by_subj: anyLifecycle });
  const { run, ended } = (await readLastRun(bus, store, id)) ?? { run: 1, ended: undefined };
  if (ended) throw new PermanentError('already-ended', `request ${id} has already ended (run ${run}: ${ended})`);
  const marker = { run, reason: event.errors?.[0]?.message };
  await store.put(requestPrefix(id) + metadataPaths.cancelled, `${JSON.stringify(marker)}\n`, {
    headers: { 'content-type': 'application/json' },
  });
  try {
    await publishLifecycle(
      bus,
      'fave',
      'cancelled',
      { ...event, run },
      {
        expect: { lastSubjectSequence: last?.seq ?? 0, lastSubjectSequenceSubject: anyLifecycle },
      },
    );
    return run;
  } catch (error) {
    if (error instanceof JetStreamApiError) return undefined;
    throw error;
  }
}
