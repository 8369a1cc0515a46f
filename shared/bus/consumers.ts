import type { ConsumerInfo } from '@nats-io/jetstream';
import type { Graph } from '../pipeline/graph.ts';
import { undefinedIfNotFound, type Bus } from './connection.ts';
import { consumerName, lanesOf, RELAY_CONSUMER, streams, TRACKER_CONSUMER } from './topology.ts';

/** A durable consumer, with the labels of its lag metric. */
export interface Consumer {
  readonly stream: string;
  readonly name: string;
  readonly stage: string;
  readonly lane: string;
}

/** Returns the consumers of relay, tracker and all stages. Relay and tracker have one consumer each, in the lane `first`. */
export function consumersOf(graph: Graph): Consumer[] {
  return [
    { stream: streams.raw, name: RELAY_CONSUMER, stage: 'relay', lane: 'first' },
    { stream: streams.landed, name: TRACKER_CONSUMER, stage: 'tracker', lane: 'first' },
    ...graph.stages.flatMap(({ name: stage, consumes }) =>
      lanesOf(consumes).map((lane) => ({ stream: streams.landed, name: consumerName(stage, lane), stage, lane })),
    ),
  ];
}

/** Returns the lag of a consumer: messages that are pending or in progress. KEDA's nats-jetstream trigger counts the same. */
export function lagOf({ num_pending, num_ack_pending }: Pick<ConsumerInfo, 'num_pending' | 'num_ack_pending'>): number {
  return num_pending + num_ack_pending;
}

/** Returns the number of messages that a consumer has not delivered yet, or NaN if it does not exist. */
export async function fetchPending({ manager }: Pick<Bus, 'manager'>, stream: string, name: string): Promise<number> {
  const info = await undefinedIfNotFound(manager.consumers.info(stream, name));
  return info ? info.num_pending : NaN;
}

/** Returns the lag of a consumer, or NaN if it does not exist. */
export async function fetchConsumerLag({ manager }: Pick<Bus, 'manager'>, stream: string, name: string): Promise<number> {
  const info = await undefinedIfNotFound(manager.consumers.info(stream, name));
  return info ? lagOf(info) : NaN;
}
