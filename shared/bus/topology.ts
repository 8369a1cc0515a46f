import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { Kind } from '../../schemas/kinds.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { Indices } from '../pipeline/artifact.ts';

/** Every subject, stream and consumer, derived from the graph. Set-up makes them, autoscalers and `fave doctor` read them. */

const seconds = (n: number): number => n * 1_000_000_000;
const minutes = (n: number): number => seconds(60 * n);
const days = (n: number): number => minutes(24 * 60 * n);
const GiB = 1024 ** 3;

/** A long request must not starve short ones: its first clips go the `first` lane, as does everything before the fan-out. */
export type Lane = 'first' | 'rest';

/** Clips of a request that travel in the first lane. */
const FIRST_LANE_CLIPS = 8;

export function laneOf({ clip = 0 }: Indices): Lane {
  return clip <= FIRST_LANE_CLIPS ? 'first' : 'rest';
}

/** The lanes in which a kind can land, the preferred one first. */
export function lanesOf(kind: Kind): readonly Lane[] {
  return kind.key.includes('{clip}') ? ['first', 'rest'] : ['first'];
}

export const subjects = {
  rawFast: 'fave.raw.fast',
  rawDurable: 'fave.raw.durable',
  rawSweep: 'fave.raw.sweep',
  landed: (kind: string, lane: Lane | '*', requestId: string): string => `fave.landed.${kind}.${lane}.${requestId}`,
  stage: (requestId: string, stage: string): string => `fave.requests.${requestId}.stage.${stage}`,
  lifecycle: (requestId: string, event: string): string => `fave.requests.${requestId}.${event}`,
  deadLetter: (stage: string, requestId: string): string => `fave.dlq.${stage}.${requestId}`,
};

/** The request id of events about keys that name none. */
export const NO_REQUEST = '_';

export const streams = { raw: 'FAVE_RAW', landed: 'FAVE_LANDED', requests: 'FAVE_REQUESTS', deadLetters: 'FAVE_DLQ' } as const;

/** Time for which `FAVE_REQUESTS` keeps events (ms). */
export const REQUESTS_MAX_AGE_MS = 7 * 86_400_000;

/** Minutes in which a message with a known id is dropped. */
export const DEDUPLICATION_WINDOW = 10;

/** Deliveries of an item before it becomes a dead letter. */
export const MAX_DELIVERIES = 10;

export function streamConfigs(replicas = 1): Partial<StreamConfig>[] {
  const common = { storage: StorageType.File, num_replicas: replicas, duplicate_window: minutes(DEDUPLICATION_WINDOW) };
  return [
    // What was acknowledged vanishes, so "full" means a real backlog, and `new` pushes it back into MinIO's queue.
    {
      ...common,
      name: streams.raw,
      subjects: ['fave.raw.>'],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      max_bytes: 2 * GiB,
    },
    {
      ...common,
      name: streams.landed,
      subjects: ['fave.landed.>'],
      retention: RetentionPolicy.Interest,
      discard: DiscardPolicy.New,
      max_bytes: 2 * GiB,
    },
    {
      ...common,
      name: streams.requests,
      subjects: ['fave.requests.>'],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_bytes: 4 * GiB,
      max_age: REQUESTS_MAX_AGE_MS * 1e6,
    },
    // The server's own word on messages that were delivered as often as they may be is kept with what workers say.
    {
      ...common,
      name: streams.deadLetters,
      subjects: ['fave.dlq.>', MAX_DELIVERIES_ADVISORY],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_bytes: GiB,
      max_age: days(30),
    },
  ];
}

export interface ConsumerSpec {
  readonly stream: string;
  readonly config: Partial<ConsumerConfig> & { durable_name: string; filter_subject: string };
}

export const RELAY_CONSUMER = 'relay';
export const TRACKER_CONSUMER = 'tracker';
export const ADVISORY_CONSUMER = 'tracker-advisories';

/**
 * Notifications that relays work on at once, all of them together. Each is held, and asks the store, until it is acknowledged: of
 * 5 000 uploads at once a relay without this bound held all, 538 MB, and MinIO as many requests.
 */
const RELAYED_AT_ONCE = 256;

/** Where the server says that an item was delivered as often as it may be. */
const MAX_DELIVERIES_ADVISORY = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${streams.landed}.*`;

/** Where a message of FAVE_LANDED that was delivered as often as it may be is acknowledged by whoever ends it (`$JS.ACK`, see runtime/delivery.ts). */
export function finalAckSubject(consumer: string, sequence: number | '*'): string {
  return `$JS.ACK.${streams.landed}.${consumer}.${MAX_DELIVERIES}.${sequence}.0.0.0`;
}

/** Name of the durable consumer that feeds a stage from a lane. */
export function consumerName(stage: string, lane: Lane): string {
  return `${stage}-${lane}`;
}

/** @param ackWaitSeconds Seconds without a heartbeat after which an item is given to another worker. */
export function consumerConfigs(graph: Graph, ackWaitSeconds: number): ConsumerSpec[] {
  // Flat ack_wait, never BackOff: BackOff replaces ack_wait and would redeliver running work.
  const durable = (stream: string, name: string, filter: string, more: Partial<ConsumerConfig> = {}): ConsumerSpec => ({
    stream,
    config: {
      durable_name: name,
      filter_subject: filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: seconds(ackWaitSeconds),
      max_ack_pending: 10_000,
      ...more,
    },
  });
  return [
    durable(streams.raw, RELAY_CONSUMER, 'fave.raw.>', { max_ack_pending: RELAYED_AT_ONCE }),
    durable(streams.landed, TRACKER_CONSUMER, subjects.landed('input', '*', '*')),
    durable(streams.deadLetters, ADVISORY_CONSUMER, MAX_DELIVERIES_ADVISORY),
    ...graph.stages.flatMap((stage) =>
      lanesOf(stage.consumes).map((lane) =>
        durable(streams.landed, consumerName(stage.name, lane), subjects.landed(stage.consumes.name, lane, '*'), {
          max_deliver: MAX_DELIVERIES,
        }),
      ),
    ),
  ];
}
