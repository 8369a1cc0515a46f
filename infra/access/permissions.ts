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

/** Answers of the server come to subjects below this one. */
const INBOX = '_INBOX.>';

/** Reads streams, consumers and messages; an ephemeral consumer on the events changes nothing for anybody. */
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
  // Not of the dead letters: the tracker's durable consumer is there, which a reader could delete or empty. They are read by number.
  `$JS.API.CONSUMER.CREATE.${streams.requests}`,
  `$JS.API.CONSUMER.CREATE.${streams.requests}.>`,
  `$JS.API.CONSUMER.DELETE.${streams.requests}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${streams.requests}.*`,
  `$JS.ACK.${streams.requests}.>`,
  '$JS.FC.>',
];

/** What a worker needs of the durable consumers that feed it. */
function consumes(stream: string, ...consumers: string[]): string[] {
  return consumers.flatMap((consumer) => [
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
  ]);
}

/** Least rights on the bus for each role, derived from the graph: a stage announces only what it produces. */
export function busPermissions(graph: Graph): Record<string, SubjectPermissions> {
  const stages = graph.stages.map((stage): [string, SubjectPermissions] => [
    stage.name,
    {
      publish: [
        ...consumes(streams.landed, ...lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane))),
        // Its own item again, when the store was away too long; and what it produces, when an item comes again.
        subjects.landed(stage.consumes.name, '*', '*'),
        ...stage.produces.filter((kind) => kind.announced).map((kind) => subjects.landed(kind.name, '*', '*')),
        subjects.stage('*', stage.name),
        subjects.deadLetter(stage.name, '*'),
      ],
      // What ends work that is under way.
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
        // On behalf of workers that did not survive their item: messages of the last delivery only.
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
