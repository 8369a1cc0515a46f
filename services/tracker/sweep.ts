import { codeOf, messageOf } from '../../shared/core/errors.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { metadataPaths, requestPrefix, REQUESTS_PREFIX } from '../../shared/pipeline/keys.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { republishNotification, findUnsettledObjects } from '../../shared/requests/sweep.ts';
import { fetchConsumerLag } from '../../shared/bus/consumers.ts';
import { consumerName, lanesOf, streams } from '../../shared/bus/topology.ts';
import type { RunRegistry } from './run-registry.ts';

/** Share of the interval that an object has landed before a sweep doubts its notification. */
const DOUBT = 0.5;

export interface Sweeper {
  begin(): void;
  stop(): void;
}

/**
 * Looks for what landed and was never worked on, because a notification was lost or the store sends none, and has it
 * announced. A request costs one listing while it is open; one that has ended costs nothing but its line in the listing of ids.
 */
export function startSweeping(service: Service, graph: Graph, runs: RunRegistry): Sweeper {
  const { config, log, store, bus } = service;
  const only = config.eventSource === 'sweep';
  const interval = config.sweepIntervalSeconds;
  /** Requests that are known to have ended, however long ago. */
  const over = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const isOver = async (requestId: string): Promise<boolean> => {
    if (runs.hasEnded(requestId) || over.has(requestId)) return true;
    if (runs.open(requestId)) return false;
    const state = await store.getText(requestPrefix(requestId) + metadataPaths.state);
    const status = state && (JSON.parse(state.text) as { status?: string }).status;
    if (status === undefined || status === 'running') return false;
    over.add(requestId);
    return true;
  };

  /** Stages that have work queued or under way; what is missing of theirs may just be waiting. */
  const busyStages = async (): Promise<Set<string>> => {
    const busy = new Set<string>();
    for (const { name, consumes } of graph.stages) {
      for (const lane of lanesOf(consumes)) {
        if ((await fetchConsumerLag(bus, streams.landed, consumerName(name, lane))) > 0) busy.add(name);
      }
    }
    return busy;
  };

  const sweep = async (): Promise<void> => {
    const busy = only ? new Set<string>() : await busyStages();
    for await (const requestId of store.listPrefixes(REQUESTS_PREFIX)) {
      if (await isOver(requestId)) continue;
      for await (const found of findUnsettledObjects(store, graph, requestId, runs.open(requestId))) {
        const age = (Date.now() - found.modified.getTime()) / 1_000;
        if (!only && (age < DOUBT * interval || found.stages.every((stage) => busy.has(stage)))) continue;
        if (await republishNotification(bus, store.bucket, found))
          log.info({ event: 'sweep:reannounced', request_id: requestId, key: found.key, stages: found.stages });
      }
    }
  };

  const loop = (): void => {
    sweep()
      .catch((error: unknown) => {
        log.warn({ event: 'sweep:failed', error, code: codeOf(error) }, messageOf(error));
      })
      .finally(() => {
        if (!service.drainSignal.aborted) timer = setTimeout(loop, interval * 1_000);
      });
  };

  return {
    begin: () => {
      if (!timer) timer = setTimeout(loop, 0);
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}
