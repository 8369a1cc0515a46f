import { graph } from '../../../services/pipeline.ts';
import { requestPrefix, REQUEST_ID, REQUESTS_PREFIX } from '../../../shared/pipeline/keys.ts';
import type { Store } from '../../../shared/store/store.ts';
import { republishNotification, findUnsettledObjects } from '../../../shared/requests/sweep.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { escapeControlCharacters } from '../../output/format.ts';
import { assertRequestId, isEnded, stateOf } from '../../../shared/requests/read-request.ts';
import { readRunStates, type LastRunState } from '../../../shared/requests/read-run-states.ts';
import { PermanentError } from '../../../shared/core/errors.ts';

/** Has announced what landed in open requests and no stage has settled. What waits in a queue is announced only once. */
export async function sweep(cli: CliContext, id: string | undefined, { dryRun = false }: { dryRun?: boolean }): Promise<number> {
  if (id !== undefined) assertRequestId(id);
  return withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      const runs = await readRunStates(bus, graph, id);
      let [objects, requests] = [0, 0];
      for await (const requestId of id === undefined ? store.listPrefixes(REQUESTS_PREFIX) : [id]) {
        if (!REQUEST_ID.test(requestId) || (await isOver(store, requestId, runs.get(requestId)))) continue;
        requests += 1;
        for await (const found of findUnsettledObjects(store, graph, requestId, runs.get(requestId)?.state)) {
          const fresh = dryRun || (await republishNotification(bus, store.bucket, found));
          if (fresh) objects += 1;
          const what = dryRun ? 'would be announced' : fresh ? 'announced' : 'announced by an earlier sweep';
          cli.stdout.line(
            `${requestId}  ${escapeControlCharacters(found.key.slice(requestPrefix(requestId).length))}: ${what} for ${found.stages.join(', ')}`,
          );
        }
      }
      if (id !== undefined && requests === 0) await explain(store, id);
      cli.stderr.line(
        cli.stderr.style(
          'dim',
          `${objects} ${objects === 1 ? 'object' : 'objects'} of ${requests} open ${requests === 1 ? 'request' : 'requests'}`,
        ),
      );
      return exitCodes.ok;
    }),
  );
}

async function isOver(store: Store, requestId: string, known: LastRunState | undefined): Promise<boolean> {
  if (known?.ended) return true;
  if (known?.state.accepted) return false;
  const state = await stateOf(store, requestId);
  return state !== undefined && isEnded(state);
}

/** @throws PermanentError `already-ended`: a sweep of it can do nothing. */
async function explain(store: Store, id: string): Promise<void> {
  const state = await stateOf(store, id);
  throw new PermanentError(
    'already-ended',
    `request ${id} has ended (${state?.status ?? 'unknown'}): fave replay ${id} takes it up again`,
  );
}
