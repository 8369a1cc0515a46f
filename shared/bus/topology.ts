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
import { BATCH_CLIPS, type Indices } from '../pipeline/artifact.ts';

/** All subjects, streams and consumers, derived from the graph. Set-up creates them; autoscalers and `fave doctor` read them. */

const seconds = (n: number): number => n * 1_000_000_000;
const minutes = (n: number): number => seconds(60 * n);
const days = (n: number): number => minutes(24 * 60 * n);
const GiB = 1024 ** 3;

/**
 * Priority classes of landed messages, in order of preference, and the largest number of a clip in each. A request with n clips
 * waits for at most 8 n clips of each longer request, independent of their order in the queue and the number of workers.
 */
const LANES = { first: 8, second: 64, third: 512, rest: Infinity } as const;

export type Lane = keyof typeof LANES;

const lanes = Object.keys(LANES) as Lane[];

/** Returns the lane of an object by the number of its clip, or of the first clip before its batch. */
export function laneOf({ clip, batch = 1 }: Indices): Lane {
  const position = clip ?? (batch - 1) * BATCH_CLIPS;
  return lanes.find((lane) => position <= LANES[lane]) ?? 'rest';
}

/** Returns the lanes of a kind, in order of preference. */
export function lanesOf(kind: Kind): readonly Lane[] {
  return /\{(clip|batch)\}/.test(kind.key) ? lanes : ['first'];
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

/** Prefix of the subjects on which a stream announces what it has stored, with headers only. No role may publish to them. */
const STORED_PREFIX = 'fave.stored';

/** Returns the subject on which the stream of the request events announces stored messages of a subject. */
export function storedSubject(subject: string): string {
  return subject.replace(/^fave/, STORED_PREFIX);
}

/** Request id of events about a key without a request id. */
export const NO_REQUEST = '_';

export const streams = { raw: 'FAVE_RAW', landed: 'FAVE_LANDED', requests: 'FAVE_REQUESTS', deadLetters: 'FAVE_DLQ' } as const;

/** Time for which `FAVE_REQUESTS` keeps events (ms). */
export const REQUESTS_MAX_AGE_MS = 7 * 86_400_000;

/** Deduplication window of all streams, in minutes. JetStream drops a message whose id it has stored within this time. */
export const DEDUPLICATION_WINDOW = 10;

/** Maximum number of deliveries of an item, after which it becomes a dead letter. */
export const MAX_DELIVERIES = 10;

export function streamConfigs(replicas = 1): Partial<StreamConfig>[] {
  const common = { storage: StorageType.File, num_replicas: replicas, duplicate_window: minutes(DEDUPLICATION_WINDOW) };
  return [
    // A work queue holds only unacknowledged messages. When it is full, `new` refuses messages, which MinIO keeps in its own queue.
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
      // A sweep reads which messages are queued.
      allow_direct: true,
      retention: RetentionPolicy.Interest,
      discard: DiscardPolicy.New,
      max_bytes: 2 * GiB,
    },
    {
      ...common,
      name: streams.requests,
      subjects: ['fave.requests.>'],
      allow_direct: true,
      republish: { src: 'fave.requests.>', dest: storedSubject('fave.requests.>'), headers_only: true },
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_bytes: 4 * GiB,
      max_age: REQUESTS_MAX_AGE_MS * 1e6,
    },
    // The stream also stores the server's advisories about messages that have reached the maximum number of deliveries.
    {
      ...common,
      name: streams.deadLetters,
      subjects: ['fave.dlq.>', MAX_DELIVERIES_ADVISORY],
      allow_direct: true,
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
 * Maximum number of unacknowledged notifications of all relays. Each occupies memory and a store request: without this limit, 5 000
 * simultaneous uploads took 538 MB in one relay.
 */
const MAX_RELAY_PENDING = 256;

/** Subject of the server's advisory that an item has reached the maximum number of deliveries. */
const MAX_DELIVERIES_ADVISORY = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${streams.landed}.*`;

/** Returns the subject on which the tracker acknowledges a message of FAVE_LANDED after its last delivery (format: runtime/delivery/delivery.ts). */
export function finalAckSubject(consumer: string, sequence: number | '*'): string {
  return `$JS.ACK.${streams.landed}.${consumer}.${MAX_DELIVERIES}.${sequence}.0.0.0`;
}

/** Returns the name of the durable consumer of a stage for a lane. */
export function consumerName(stage: string, lane: Lane): string {
  return `${stage}-${lane}`;
}

/** Returns the configuration of all consumers. @param ackWaitSeconds Time without a heartbeat after which an item is redelivered. */
export function consumerConfigs(graph: Graph, ackWaitSeconds: number): ConsumerSpec[] {
  // No BackOff: it would replace ack_wait and redeliver items that are being processed.
  const durable = (stream: string, name: string, filter: string, overrides: Partial<ConsumerConfig> = {}): ConsumerSpec => ({
    stream,
    config: {
      durable_name: name,
      filter_subject: filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: seconds(ackWaitSeconds),
      max_ack_pending: 10_000,
      ...overrides,
    },
  });
  return [
    durable(streams.raw, RELAY_CONSUMER, 'fave.raw.>', { max_ack_pending: MAX_RELAY_PENDING }),
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
