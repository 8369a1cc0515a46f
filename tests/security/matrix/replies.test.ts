import { beforeAll, describe, expect, it, vi } from 'vitest';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { graph } from '../../../services/pipeline.ts';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { consumerConfigs, consumerName, streams, subjects } from '../../../shared/bus/topology.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';
import { WAIT } from '../../support/wait.ts';
import { expectedPermissions, publishSubjects } from './bus-subjects.ts';

/** Users that run no stage. */
const users = Object.keys(busPermissions(graph)).filter(
  (user) => user !== 'admin' && !graph.stages.some(({ name }) => name === user),
);
const consumers = consumerConfigs(graph, 1);

let stack: Stack;
let passwords: Secrets['bus'];
beforeAll(async () => {
  stack = await createOwnStack();
  passwords = (await readSecrets(stack.dataDir))!.bus;
  await stack.bus.publish(subjects.rawFast, { notification: true }, {});
  await stack.bus.publish(subjects.lifecycle('x', 'completed'), { event: true }, {});
});

/** Returns the messages of streams by subject, and the deliveries of consumers whose names match. */
async function stateOf(isCompared: (name: string) => boolean): Promise<unknown> {
  const { streams: all, consumers: each } = stack.bus.manager;
  const messages = Object.values(streams).map(async (stream) => {
    const { state } = await all.info(stream, { subjects_filter: '>' });
    return [stream, Object.fromEntries(Object.entries(state.subjects ?? {}).filter(([subject]) => isCompared(subject)))];
  });
  const deliveries = consumers
    .filter(({ config }) => isCompared(config.durable_name))
    .map(async ({ stream, config: { durable_name: name } }) => {
      const { num_waiting, num_ack_pending, delivered } = await each.info(stream, name);
      return [name, num_waiting, num_ack_pending, delivered.stream_seq];
    });
  return [await Promise.all(messages), await Promise.all(deliveries)];
}

/** Subjects to which a role may not publish, as reply subjects: each would store a message, pull one or change a stream. */
function targetsOf(user: string): string[] {
  const { publish } = expectedPermissions(graph, user);
  return publishSubjects(graph).filter(
    (subject) =>
      !publish(subject) && /^fave\.|^\$JS\.API\.(CONSUMER\.(MSG\.NEXT|DELETE|CREATE)|STREAM\.(PURGE|DELETE))\./.test(subject),
  );
}

/** Returns the body of a message that the API at a target would accept, or that a service would process. */
function bodyFor(target: string): string {
  if (/\.(PURGE|DELETE)\./.test(target)) return '';
  if (target.includes('.MSG.NEXT.')) return JSON.stringify({ batch: 100, expires: 60e9 });
  const [, stream = ''] = /\.CREATE\.(\w+)/.exec(target) ?? [];
  if (stream === '') return JSON.stringify({ forged: true });
  return JSON.stringify({ stream_name: stream, config: { ack_policy: 'none', deliver_subject: subjects.rawFast } });
}

async function connect(user: string): Promise<Bus> {
  return connectBus({ ...stack.config.bus, user, password: passwords[user] ?? '' }, user);
}

describe.each(graph.stages)('$name, which pulls its own messages to other subjects,', ({ name, consumes }) => {
  it('changes no stream and no consumer of others', async () => {
    const own = subjects.landed(consumes.name, 'first', name);
    const isOther = (subject: string): boolean => subject !== own && !subject.startsWith(name);
    const before = await stateOf(isOther);
    const bus = await connect(name);
    const pull = (reply: string): void => {
      const consumer = `${streams.landed}.${consumerName(name, 'first')}`;
      bus.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${consumer}`, '{"batch":1}', { reply });
    };
    for (const target of targetsOf(name)) {
      await bus.jetstream.publish(own, bodyFor(target));
      pull(target);
    }
    // The consumer delivers in order. A pull above may still wait and take the message.
    const inbox = bus.createInbox();
    let isDelivered = false;
    bus.connection.subscribe(inbox, { callback: (_, message) => void (isDelivered ||= message.string() === 'last') });
    await vi.waitUntil(async () => {
      await bus.jetstream.publish(own, 'last');
      pull(inbox);
      return isDelivered;
    }, WAIT);
    await bus.close();
    expect(await stateOf(isOther)).toEqual(before);
  });
});

describe.each(users)('%s, which names other subjects for the replies of the server,', (user) => {
  it('changes no stream and no consumer of others', async () => {
    const targets = targetsOf(user);
    const isOther = (name: string): boolean => targets.some((target) => target === name || target.endsWith(`.${name}`));
    const requests = publishSubjects(graph).filter(
      (subject) =>
        expectedPermissions(graph, user).publish(subject) &&
        /^(fave|\$JS\.API)\./.test(subject) &&
        !subject.includes('.MSG.NEXT.'),
    );
    expect(requests.length).toBeGreaterThan(1);
    const before = await stateOf(isOther);
    const bus = await connect(user);
    for (const request of requests) for (const target of targets) bus.connection.publish(request, '{"seq":1}', { reply: target });
    // The server processes the requests to a stream in order, so all earlier ones are processed before its reply.
    for (const request of requests.filter((subject) => /^fave\.|STREAM\.INFO/.test(subject))) {
      const inbox = user === 'minio' ? '_INBOX.last' : bus.createInbox();
      const replies = bus.connection.subscribe(inbox, { max: 1 });
      bus.connection.publish(request, '', { reply: inbox });
      for await (const _ of replies);
    }
    await bus.close();
    expect(await stateOf(isOther)).toEqual(before);
  });
});
