import {
  ADVISORY_CONSUMER,
  consumerConfigs,
  consumerName,
  finalAckSubject,
  lanesOf,
  RELAY_CONSUMER,
  storedSubject,
  streams,
  subjects,
  TRACKER_CONSUMER,
  type Lane,
} from '../../../shared/bus/topology.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';

const LANES: readonly Lane[] = ['first', 'second', 'third', 'rest'];
const EVENTS = ['accepted', 'ignored', 'rejected', 'completed', 'failed', 'cancelled', 'redriven'];

/** Operations of the JetStream API on a stream, and on a consumer. */
const STREAM_OPERATIONS = [
  ...[
    'CREATE',
    'UPDATE',
    'INFO',
    'DELETE',
    'PURGE',
    'SNAPSHOT',
    'RESTORE',
    'MSG.DELETE',
    'MSG.GET',
    'PEER.REMOVE',
    'LEADER.STEPDOWN',
  ],
  ...['TEMPLATE.CREATE', 'TEMPLATE.INFO', 'TEMPLATE.DELETE'],
];
const CONSUMER_OPERATIONS = [
  'CREATE',
  'DURABLE.CREATE',
  'INFO',
  'DELETE',
  'PAUSE',
  'MSG.NEXT',
  'UNPIN',
  'RESET',
  'LEADER.STEPDOWN',
];

const api = (operation: string): string => `$JS.API.${operation}`;

/** Returns the names of all consumers by stream, with one that does not exist. */
function consumersByStream(graph: Graph): [string, string[]][] {
  const configs = consumerConfigs(graph, 1);
  return Object.values(streams).map((stream) => [
    stream,
    ['other', ...configs.filter((each) => each.stream === stream).map(({ config }) => config.durable_name)],
  ]);
}

/** Returns every subject that a client may publish to: messages of FAVE, the JetStream API for every stream and consumer, and those of the server. */
export function publishSubjects(graph: Graph): string[] {
  const stages = graph.stages.map(({ name }) => name);
  const users = [...stages, 'admin', 'relay', 'tracker', 'viewer'];
  return [
    ...[subjects.rawFast, subjects.rawDurable, subjects.rawSweep, 'fave.raw.other'],
    ...graph.kinds.flatMap(({ name }) => LANES.map((lane) => subjects.landed(name, lane, 'x'))),
    ...EVENTS.flatMap((event) => [
      subjects.lifecycle('x', event),
      subjects.lifecycle('_', event),
      storedSubject(subjects.lifecycle('x', event)),
    ]),
    ...[...stages, 'relay', 'tracker', 'other'].flatMap((name) => [subjects.stage('x', name), subjects.deadLetter(name, 'x')]),
    ...[
      'INFO',
      'STREAM.NAMES',
      'STREAM.LIST',
      'STREAM.TEMPLATE.NAMES',
      'META.LEADER.STEPDOWN',
      'SERVER.REMOVE',
      'ACCOUNT.PURGE.$G',
    ].map(api),
    ...['ACCOUNT.STREAM.MOVE.$G', 'ACCOUNT.STREAM.CANCEL_MOVE.$G'].map((operation) => api(`${operation}.${streams.landed}`)),
    ...consumersByStream(graph).flatMap(([stream, consumers]) => [
      ...STREAM_OPERATIONS.map((operation) => api(`STREAM.${operation}.${stream}`)),
      ...[`DIRECT.GET.${stream}`, `DIRECT.GET.${stream}.fave.requests.x.completed`, `DIRECT.GET.KV_${stream}`].map(api),
      ...['CREATE', 'NAMES', 'LIST'].map((operation) => api(`CONSUMER.${operation}.${stream}`)),
      ...consumers.flatMap((consumer) => [
        ...CONSUMER_OPERATIONS.map((operation) => api(`CONSUMER.${operation}.${stream}.${consumer}`)),
        api(`CONSUMER.CREATE.${stream}.${consumer}.fave.>`),
        `$JS.ACK.${stream}.${consumer}.1.1.1.1.0`,
        ...(stream === streams.landed ? [finalAckSubject(consumer, 1)] : []),
        `$JS.FC.${stream}.${consumer}.x`,
        `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`,
      ]),
    ]),
    ...users.map((user) => `_INBOX_${user}.x`),
    ...['_INBOX.x', 'other', '$SYS.REQ.SERVER.PING', '$SYS.REQ.ACCOUNT.$G.CONNZ', '$SRV.PING', '$KV.x.y', '$O.x.y', '$MQTT.x'],
  ];
}

/** Returns every subject that a client may subscribe to. */
export function subscribeSubjects(graph: Graph): string[] {
  const users = [...graph.stages.map(({ name }) => name), 'admin', 'relay', 'tracker', 'viewer'];
  return [
    ...['>', '*', 'fave.>', 'fave.raw.>', 'fave.landed.>', 'fave.requests.>', 'fave.dlq.>', storedSubject('fave.requests.>')],
    ...[subjects.rawFast, subjects.rawDurable, subjects.rawSweep],
    ...graph.kinds.map(({ name }) => subjects.landed(name, '*', '*')),
    ...graph.stages.flatMap(({ name }) => [subjects.stage('*', name), subjects.deadLetter(name, '*')]),
    ...EVENTS.flatMap((event) => [subjects.lifecycle('*', event), storedSubject(subjects.lifecycle('*', event))]),
    ...users.map((user) => `_INBOX_${user}.>`),
    ...['_INBOX.>', '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.EVENT.ADVISORY.>', '$SYS.>', '$SRV.>', '_R_.>', '_GR_.>'],
  ];
}

/** Returns whether a pattern of NATS includes a subject, which may contain wildcards. */
export function matches(pattern: string, subject: string): boolean {
  const [wanted, tokens] = [pattern.split('.'), subject.split('.')];
  const end = wanted.indexOf('>');
  if (end < 0 && wanted.length !== tokens.length) return false;
  if (end >= 0 && tokens.length <= end) return false;
  return wanted
    .slice(0, end < 0 ? wanted.length : end)
    .every((token, index) => token === tokens[index] || (token === '*' && tokens[index] !== '>'));
}

const within =
  (patterns: readonly string[]) =>
  (subject: string): boolean =>
    patterns.some((pattern) => matches(pattern, subject));

/** Returns whether a user may publish to a subject and subscribe to one. */
export function expectedPermissions(graph: Graph, user: string): Record<'publish' | 'subscribe', (subject: string) => boolean> {
  const consumer = (stream: string, name: string): string[] => [
    api(`CONSUMER.MSG.NEXT.${stream}.${name}`),
    `$JS.ACK.${stream}.${name}.>`,
  ];
  const inbox = `_INBOX_${user}.>`;
  const stage = graph.stages.find(({ name }) => name === user);
  if (stage) {
    const announced = [stage.consumes, ...stage.produces].filter((kind) => kind.announced);
    return {
      publish: within([
        ...lanesOf(stage.consumes).flatMap((lane) => consumer(streams.landed, consumerName(user, lane))),
        ...announced.map(({ name }) => subjects.landed(name, '*', '*')),
        subjects.stage('*', user),
        subjects.deadLetter(user, '*'),
      ]),
      subscribe: within([inbox, subjects.lifecycle('*', 'cancelled'), subjects.lifecycle('*', 'failed')]),
    };
  }
  if (user === 'minio') return { publish: within([subjects.rawFast, subjects.rawDurable]), subscribe: within(['_INBOX.>']) };
  if (user === 'relay')
    return {
      publish: within([
        api(`CONSUMER.INFO.${streams.raw}.${RELAY_CONSUMER}`),
        api(`STREAM.MSG.GET.${streams.requests}`),
        ...consumer(streams.raw, RELAY_CONSUMER),
        ...graph.kinds.filter((kind) => kind.announced).map(({ name }) => subjects.landed(name, '*', '*')),
        ...['ignored', 'rejected'].map((event) => subjects.lifecycle('*', event)),
      ]),
      subscribe: within([inbox]),
    };
  if (user === 'tracker')
    return {
      publish: within([
        ...consumer(streams.landed, TRACKER_CONSUMER),
        ...consumer(streams.deadLetters, ADVISORY_CONSUMER),
        ...[
          'STREAM.INFO.*',
          'CONSUMER.INFO.*.*',
          ...[streams.requests, streams.landed].map((stream) => `DIRECT.GET.${stream}`),
          ...[streams.landed, streams.requests].map((stream) => `STREAM.MSG.GET.${stream}`),
        ].map(api),
        finalAckSubject('*', '*'),
        subjects.rawSweep,
        ...['accepted', 'completed', 'failed', 'cancelled'].map((event) => subjects.lifecycle('*', event)),
        ...[subjects.stage('*', '*'), subjects.deadLetter('*', '*')],
      ]),
      subscribe: within([inbox, storedSubject('fave.requests.>')]),
    };
  // The viewer: reads everything and changes nothing.
  return {
    publish: within(
      [
        ...['INFO', 'STREAM.INFO.*', 'STREAM.NAMES', 'STREAM.LIST', 'STREAM.MSG.GET.*', 'DIRECT.GET.>'],
        ...['CONSUMER.INFO.*.*', 'CONSUMER.NAMES.*', 'CONSUMER.LIST.*'],
      ].map(api),
    ),
    subscribe: within([inbox, 'fave.requests.>', storedSubject('fave.requests.>'), 'fave.landed.>', 'fave.dlq.>']),
  };
}
