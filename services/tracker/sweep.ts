import { fetchConsumerLag } from '../../shared/bus/consumers.ts';
import { consumerName, lanesOf, streams } from '../../shared/bus/topology.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { metadataPaths, requestPrefix, REQUESTS_PREFIX } from '../../shared/pipeline/keys.ts';
import { findUnsettledObjects, republishNotification } from '../../shared/requests/sweep.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { isOpen, type Runs } from './apply-event.ts';

/** Share of the sweep interval for which an object is left to its notification. */
const MIN_AGE_SHARE = 0.5;

/**
 * Returns a sweep: it finds objects that no stage has processed, because their notification was lost or the store sends none, and
 * republishes their notifications. It lists every open request once, and an ended request only by its id.
 */
export function createSweep(
  { config, log, store, bus }: Pick<Service, 'config' | 'log' | 'store' | 'bus'>,
  graph: Graph,
  runs: Runs,
): () => Promise<void> {
  const isOnlySource = config.eventSource === 'sweep';
  /** Listed requests that ended before the oldest event of the stream. */
  let endedIds = new Set<string>();

  const hasEnded = async (requestId: string): Promise<boolean> => {
    const run = runs.get(requestId);
    if (run && run.phase !== 'unaccepted') return run.phase === 'ended';
    if (endedIds.has(requestId)) return true;
    const state = await store.getText(requestPrefix(requestId) + metadataPaths.state);
    const status = state && (JSON.parse(state.text) as { status?: string }).status;
    return status !== undefined && status !== 'running';
  };

  /** Returns the stages that have lag: their missing items may be queued. */
  const findBusyStages = async (): Promise<Set<string>> => {
    const busy = new Set<string>();
    for (const { name, consumes } of graph.stages)
      for (const lane of lanesOf(consumes))
        if ((await fetchConsumerLag(bus, streams.landed, consumerName(name, lane))) > 0) busy.add(name);
    return busy;
  };

  return async () => {
    const busy = isOnlySource ? new Set<string>() : await findBusyStages();
    const nextEndedIds = new Set<string>();
    for await (const requestId of store.listPrefixes(REQUESTS_PREFIX)) {
      if (await hasEnded(requestId)) {
        if (!runs.has(requestId)) nextEndedIds.add(requestId);
        continue;
      }
      const run = runs.get(requestId);
      const state = run && isOpen(run) ? run.state : undefined;
      for await (const object of findUnsettledObjects(store, graph, requestId, state)) {
        const ageSeconds = (Date.now() - object.modified.getTime()) / 1_000;
        const mayBeInProgress =
          ageSeconds < MIN_AGE_SHARE * config.sweepIntervalSeconds || object.stages.every((stage) => busy.has(stage));
        if (mayBeInProgress && !isOnlySource) continue;
        if (await republishNotification(bus, store.bucket, object))
          log.info({ event: 'sweep:reannounced', request_id: requestId, key: object.key, stages: object.stages });
      }
    }
    endedIds = nextEndedIds;
  };
}
