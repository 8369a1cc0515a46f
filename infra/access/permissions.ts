import {
  ADVISORY_CONSUMER,
  consumerName,
  lanesOf,
  finalAckSubject,
  RELAY_CONSUMER,
  streams,
  subjects,
  TRACKER_CONSUMER,
} from '../../shared/bus/topology.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** Subjects that a role may publish to and subscribe to. */
export interface SubjectPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Prefix of the subjects for replies from the server. */
const INBOX = '_INBOX.>';

/** API subjects that read streams, consumers and messages. An ephemeral consumer on the events affects no other client. */
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
  // Only consumers of the request events. The dead letters have a durable consumer of the tracker, which a reader could delete;
  // readers fetch dead letters by sequence.
  `$JS.API.CONSUMER.CREATE.${streams.requests}`,
  `$JS.API.CONSUMER.CREATE.${streams.requests}.>`,
  `$JS.API.CONSUMER.DELETE.${streams.requests}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${streams.requests}.*`,
  `$JS.ACK.${streams.requests}.>`,
  '$JS.FC.>',
];

/** Returns the API subjects with which a worker reads from its durable consumers. */
function consumes(stream: string, ...consumers: string[]): string[] {
  return consumers.flatMap((consumer) => [
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
  ]);
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
      subscribe: [INBOX, subjects.lifecycle('*', 'cancelled'), subjects.lifecycle('*', 'failed')],
    },
  ]);
  return {
    admin: { publish: ['>'], subscribe: ['>'] },
    minio: { publish: [subjects.rawFast, subjects.rawDurable], subscribe: [INBOX] },
    relay: {
      publish: [
        ...consumes(streams.raw, RELAY_CONSUMER),
        'fave.landed.>',
        subjects.lifecycle('*', 'rejected'),
        subjects.deadLetter('relay', '*'),
      ],
      subscribe: [INBOX],
    },
    tracker: {
      publish: [
        ...readApi,
        ...consumes(streams.landed, TRACKER_CONSUMER),
        ...consumes(streams.deadLetters, ADVISORY_CONSUMER),
        // Acknowledges the last delivery of items whose worker was lost.
        finalAckSubject('*', '*'),
        subjects.rawSweep,
        'fave.requests.>',
        'fave.dlq.>',
      ],
      subscribe: [INBOX, 'fave.requests.>', '$JS.EVENT.ADVISORY.CONSUMER.>'],
    },
    viewer: { publish: readApi, subscribe: [INBOX, 'fave.requests.>', 'fave.landed.>', 'fave.dlq.>'] },
    ...Object.fromEntries(stages),
  };
}
