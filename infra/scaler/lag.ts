import type { AnyStage } from '../../shared/pipeline/stage.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { lagOf } from '../../shared/bus/consumers.ts';
import { consumerName, lanesOf, streams } from '../../shared/bus/topology.ts';

/** The lag of a stage. */
export interface StageLag {
  /** Lag of each lane as KEDA's nats-jetstream trigger computes it: `num_pending + num_ack_pending`. */
  readonly lags: readonly number[];
  /**
   * Returns the announcement time of the oldest undelivered item, in milliseconds since the epoch; undefined if no item is
   * queued.
   */
  oldest(): Promise<number | undefined>;
}

/** Fetches the lag of a stage from its consumers. @throws Error if the server does not respond. */
export async function fetchStageLag({ manager }: Bus, stage: AnyStage): Promise<StageLag> {
  const consumers = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const found = await Promise.all(consumers.map((name) => manager.consumers.info(streams.landed, name)));
  return {
    lags: found.map(lagOf),
    oldest: async () => {
      const times = await Promise.all(
        found
          .filter(({ num_pending }) => num_pending > 0)
          .map(async ({ delivered, config }) => {
            // `next_by_subj` is missing in the client's types: the server returns the next message of the subject from a sequence on.
            const query = { seq: delivered.stream_seq + 1, next_by_subj: config.filter_subject ?? '' };
            const message = await manager.streams.getMessage(streams.landed, query).catch(() => null);
            return message ? [message.time.getTime()] : []; // a worker may have acknowledged it in the meantime
          }),
      );
      const all = times.flat();
      return all.length > 0 ? Math.min(...all) : undefined;
    },
  };
}
