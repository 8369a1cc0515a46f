import {
  ADVISORY_CONSUMER,
  consumerName,
  lanesOf,
  finalAckSubject,
  RELAY_CONSUMER,
  storedSubject,
  streams,
  subjects,
  TRACKER_CONSUMER,
} from '../../shared/bus/topology.ts';
import { inboxPrefix } from '../../shared/bus/connection.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** Subjects that a role may publish to and subscribe to. */
export interface SubjectPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Subjects for the replies to MinIO, whose client has no setting for them. */
const MINIO_INBOX = '_INBOX.>';

/** Subjects for replies from the server. Each role has its own, so that no role reads the replies to another. */
const inboxOf = (role: string): string => `${inboxPrefix(role)}.>`;

/** Events with which the tracker opens and closes runs. */
const trackerEvents = ['accepted', 'completed', 'failed', 'cancelled'];

/**
 * API subjects with which people and programs read streams, consumers and messages. None creates a consumer: its delivery subject could be the API subject of
 * another consumer, so that the server itself takes messages from it.
 */
const readApi = [
  '$JS.API.INFO',
  '$JS.API.STREAM.INFO.*',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.MSG.GET.*',
  '$JS.API.DIRECT.GET.>',
  '$JS.API.CONSUMER.INFO.*.*',
  '$JS.API.CONSUMER.NAMES.*',
  '$JS.API.CONSUMER.LIST.*',
];

/** Returns the API subjects with which a worker reads from its durable consumers. */
function consumes(stream: string, ...consumers: string[]): string[] {
  return consumers.flatMap((consumer) => [`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, `$JS.ACK.${stream}.${consumer}.>`]);
}

/** Derives the permissions of each role on the bus from the graph. A stage can announce only the kinds that it produces. */
export function busPermissions(graph: Graph): Record<string, SubjectPermissions> {
  const stages = graph.stages.map((stage): [string, SubjectPermissions] => [
    stage.name,
    {
      publish: [
        ...consumes(streams.landed, ...lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane))),
        // Its own items, requeued after an outage of the store, and its outputs, reannounced after a redelivery.
        subjects.landed(stage.consumes.name, '*', '*'),
        ...stage.produces.filter((kind) => kind.announced).map((kind) => subjects.landed(kind.name, '*', '*')),
        subjects.stage('*', stage.name),
        subjects.deadLetter(stage.name, '*'),
      ],
      // Events that cancel running items.
      subscribe: [inboxOf(stage.name), subjects.lifecycle('*', 'cancelled'), subjects.lifecycle('*', 'failed')],
    },
  ]);
  return {
    admin: { publish: ['>'], subscribe: ['>'] },
    minio: { publish: [subjects.rawFast, subjects.rawDurable], subscribe: [MINIO_INBOX] },
    relay: {
      publish: [
        `$JS.API.CONSUMER.INFO.${streams.raw}.${RELAY_CONSUMER}`,
        ...consumes(streams.raw, RELAY_CONSUMER),
        // The last run of a removed request, whose id is used again.
        `$JS.API.STREAM.MSG.GET.${streams.requests}`,
        ...graph.kinds.filter((kind) => kind.announced).map((kind) => subjects.landed(kind.name, '*', '*')),
        subjects.lifecycle('*', 'ignored'),
        subjects.lifecycle('*', 'rejected'),
      ],
      subscribe: [inboxOf('relay')],
    },
    tracker: {
      publish: [
        // Gauges, the history of requests, queued items, and the landed messages of items whose worker was lost.
        '$JS.API.STREAM.INFO.*',
        '$JS.API.CONSUMER.INFO.*.*',
        `$JS.API.DIRECT.GET.${streams.requests}`,
        `$JS.API.DIRECT.GET.${streams.landed}`,
        `$JS.API.STREAM.MSG.GET.${streams.landed}`,
        `$JS.API.STREAM.MSG.GET.${streams.requests}`,
        ...consumes(streams.landed, TRACKER_CONSUMER),
        ...consumes(streams.deadLetters, ADVISORY_CONSUMER),
        // Acknowledges the last delivery of items whose worker was lost.
        finalAckSubject('*', '*'),
        subjects.rawSweep,
        ...trackerEvents.map((event) => subjects.lifecycle('*', event)),
        // Items whose worker was lost.
        subjects.stage('*', '*'),
        subjects.deadLetter('*', '*'),
      ],
      subscribe: [inboxOf('tracker'), storedSubject('fave.requests.>')],
    },
    viewer: {
      publish: readApi,
      subscribe: [inboxOf('viewer'), 'fave.requests.>', storedSubject('fave.requests.>'), 'fave.landed.>', 'fave.dlq.>'],
    },
    ...Object.fromEntries(stages),
  };
}
