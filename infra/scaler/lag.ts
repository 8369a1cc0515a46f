import type { AnyStage } from '../../shared/pipeline/stage.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { consumerName, lanesOf, streams } from '../../shared/bus/topology.ts';

/** What waits for a stage. */
export interface StageLag {
  /** By lane, as KEDA's nats-jetstream trigger counts: `num_pending + num_ack_pending`. */
  readonly lags: readonly number[];
  /** When the oldest item that nobody has taken was announced, milliseconds since 1970; undefined where none waits. */
  oldest(): Promise<number | undefined>;
}

/** Asks the server about a stage's consumers. @throws Error when it does not answer. */
export async function fetchStageLag({ manager }: Bus, stage: AnyStage): Promise<StageLag> {
  const consumers = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const found = await Promise.all(consumers.map((name) => manager.consumers.info(streams.landed, name)));
  return {
    lags: found.map(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending),
    oldest: async () => {
      const times = await Promise.all(
        found
          .filter(({ num_pending }) => num_pending > 0)
          .map(async ({ delivered, config }) => {
            // The client's types leave out what the server's MSG.GET takes: the first of a subject from a sequence on.
            const query = { seq: delivered.stream_seq + 1, next_by_subj: config.filter_subject ?? '' };
            const message = await manager.streams.getMessage(streams.landed, query).catch(() => null);
            return message ? [message.time.getTime()] : []; // somebody may have taken and finished it meanwhile
          }),
      );
      const all = times.flat();
      return all.length > 0 ? Math.min(...all) : undefined;
    },
  };
}
