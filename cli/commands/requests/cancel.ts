import { JetStreamApiError } from '@nats-io/jetstream';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { publishLifecycle } from '../../../shared/bus/events.ts';
import { metadataPaths, pathOf, requestPrefix } from '../../../shared/pipeline/keys.ts';
import { lastRun } from '../../../shared/requests/start-run.ts';
import type { Store } from '../../../shared/store/store.ts';
import { streams, subjects } from '../../../shared/bus/topology.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { requireState } from '../../../shared/requests/read-request.ts';

/** Ends a request: running work is stopped, queued work dropped. */
export async function cancel(
  cli: CliContext,
  id: string,
  { reason = 'cancelled with fave cancel' }: { reason?: string },
): Promise<number> {
  return withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      const { input = '', options = {} } = await requireState(store, id);
      const run = await cancelRequest(bus, store, id, (number) => ({
        request_id: id,
        run: number,
        status: 'cancelled',
        input,
        options,
        errors: [{ code: 'cancelled', message: reason, file: pathOf(kinds.input, { file: input }) }],
      }));
      cli.stdout.line(`request ${id} is cancelled (run ${run}); fave replay ${id} takes it up again`);
      return exitCodes.ok;
    }),
  );
}

/**
 * Puts the marker, which workers look at before an item, and then says `cancelled`, which ends what they work on now. The
 * event is only stored if nothing was said of the request since its run was looked up: `completed` and `cancelled` exclude
 * each other. @returns The run. @throws PermanentError `already-ended`.
 */
async function cancelRequest(bus: Bus, store: Store, id: string, eventOf: (run: number) => RequestState): Promise<number> {
  const all = subjects.lifecycle(id, '*');
  for (;;) {
    const said = await bus.manager.streams.getMessage(streams.requests, { last_by_subj: all });
    const { run, ended } = (await lastRun(bus, store, id)) ?? { run: 1, ended: undefined };
    if (ended)
      throw new PermanentError(
        'already-ended',
        `request ${id} has ended already (run ${run}: ${ended}): there is nothing to cancel`,
      );
    const event = eventOf(run);
    const key = requestPrefix(id) + metadataPaths.cancelled;
    await store.put(key, `${JSON.stringify({ run, reason: event.errors?.[0]?.message })}\n`, {
      headers: { 'content-type': 'application/json' },
    });
    try {
      await publishLifecycle(bus, 'fave', 'cancelled', event, {
        expect: { lastSubjectSequence: said?.seq ?? 0, lastSubjectSequenceSubject: all },
      });
      return run;
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error;
      // Something was said meanwhile: perhaps that it has ended, and then the marker means nothing.
    }
  }
}
