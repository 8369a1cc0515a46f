import { fetchPending } from '../../shared/bus/consumers.ts';
import { InvalidDataError } from '../../shared/core/errors.ts';
import { RELAY_CONSUMER, streams } from '../../shared/bus/topology.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { REQUESTS_PREFIX } from '../../shared/pipeline/keys.ts';
import { isEnded, readState } from '../../shared/requests/read-request.ts';
import { createLostObjectFinder, republishNotification, type OpenRequest } from '../../shared/requests/sweep.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { isOpen, type Runs } from './apply-event.ts';

/** Share of the sweep interval for which an object is left to its notification. */
const MIN_AGE_SHARE = 0.5;

/**
 * Returns a sweep: it finds objects that no worker will process, because their notification or landed message was lost or the store
 * sends none, and republishes their notifications. It lists every open request once, and an ended request only by its id.
 * @param onMissing Receives each open request that has no object.
 */
export function createSweep(
  { config, log, store, bus }: Pick<Service, 'config' | 'log' | 'store' | 'bus'>,
  graph: Graph,
  runs: Runs,
  onMissing: (requestId: string) => void,
): () => Promise<void> {
  const minAgeMs = config.eventSource === 'sweep' ? 0 : 1_000 * MIN_AGE_SHARE * config.sweepIntervalSeconds;
  /** Listed requests that ended before the oldest event of the stream. */
  let endedIds = new Set<string>();

  const toOpenRequest = async (id: string): Promise<OpenRequest | undefined> => {
    const run = runs.get(id);
    if (run?.phase === 'ended' || endedIds.has(id)) return undefined;
    if (run && isOpen(run)) return { id, run: run.state };
    const state = run?.refused ?? (await readState(store, id));
    return state && isEnded(state) ? undefined : { id, refused: state?.refused };
  };

  return async () => {
    let relayPending: Promise<number> | undefined;
    const findLostObjects = createLostObjectFinder(bus, store, graph);
    const nextEndedIds = new Set<string>();
    const missing = new Set([...runs].filter(([, run]) => isOpen(run)).map(([id]) => id));
    for await (const id of store.listPrefixes(REQUESTS_PREFIX)) {
      missing.delete(id);
      const request = await toOpenRequest(id).catch((error: unknown) => {
        // One invalid state must not end the sweep of the other requests.
        if (!(error instanceof InvalidDataError)) throw error;
        log.warn({ event: 'sweep:failed', request_id: id, code: error.code }, error.message);
      });
      if (!request) {
        if (!runs.has(id)) nextEndedIds.add(id);
        continue;
      }
      for await (const object of findLostObjects(request)) {
        if (Date.now() - object.modified.getTime() < minAgeMs) continue;
        // A notification that the relay has not read may be that of this object, which would then be announced twice.
        if ((await (relayPending ??= fetchPending(bus, streams.raw, RELAY_CONSUMER))) > 0) continue;
        await republishNotification(bus, store.bucket, object);
        log.info({ event: 'sweep:reannounced', request_id: id, key: object.key, stages: object.stages });
      }
    }
    endedIds = nextEndedIds;
    missing.forEach(onMissing);
  };
}
