import { JetStreamApiError } from '@nats-io/jetstream';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { startProxy, type Proxy } from '../../fixtures/proxy.ts';
import { useSharedStack, type Stack } from '../../support/stack.ts';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { queue } from '../../support/harness/queue.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

async function behindProxy(): Promise<{ bus: Bus; proxy: Proxy }> {
  const proxy = await startProxy(Number(new URL(stack.config.bus.servers[0]!).port));
  const bus = await connectBus({ ...stack.config.bus, servers: [`127.0.0.1:${proxy.port}`] }, 'test');
  onTestFinished(() => bus.close());
  return { bus, proxy };
}

describe('publish', () => {
  it('resolves when the message is stored', async () => {
    const { stream, subject } = await queue(stack.bus, []);
    expect(await stack.bus.publish(subject('a'), { text: 'čaj' }, {})).toMatchObject({ stream, seq: 1 });
    expect((await stack.bus.manager.streams.getMessage(stream, { seq: 1 }))?.json()).toEqual({ text: 'čaj' });
  });

  it('stores one of several messages with the same id', async () => {
    const { stream, subject } = await queue(stack.bus, []);
    const acks = await Promise.all([1, 2, 3].map((n) => stack.bus.publish(subject('a'), { n }, { msgID: 'one' })));
    expect(acks.filter(({ duplicate }) => duplicate)).toHaveLength(2);
    expect((await stack.bus.manager.streams.info(stream)).state.messages).toBe(1);
  });

  it('waits for a server that is away and stores the message once', async () => {
    const { bus, proxy } = await behindProxy();
    const { stream, subject } = await queue(stack.bus, []);
    proxy.cut();
    const published = bus.publish(subject('a'), {}, { msgID: 'once', signal: new AbortController().signal });
    proxy.restore();
    expect(await published).toMatchObject({ stream, seq: 1 });
    expect((await stack.bus.manager.streams.info(stream)).state.messages).toBe(1);
  });

  it('stops waiting when the signal aborts', async () => {
    const { bus, proxy } = await behindProxy();
    const { subject } = await queue(stack.bus, []);
    const stop = new AbortController();
    proxy.cut();
    const published = bus.publish(subject('a'), {}, { signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(published).rejects.toThrow('stopped');
    proxy.restore();
  });

  it('retries until a full stream has space', async () => {
    const { stream, subject } = await queue(stack.bus, [], { max_msgs: 1, discard: 'new' });
    await stack.bus.publish(subject('a'), { n: 1 }, {});
    let stored = false;
    const second = stack.bus
      .publish(subject('a'), { n: 2 }, { signal: new AbortController().signal })
      .then((ack) => ((stored = true), ack));
    // The server refuses this message, so the stream is full; the publish above continues to retry.
    await expect(stack.bus.jetstream.publish(subject('a'), '{}')).rejects.toThrow('maximum messages exceeded');
    expect(stored).toBe(false);
    await stack.bus.manager.streams.purge(stream);
    expect(await second).toMatchObject({ seq: 2 });
  });

  it('does not retry a message that JetStream refuses', async () => {
    const { subject } = await queue(stack.bus, []);
    const expectation = { expect: { lastSubjectSequence: 7 } };
    await expect(stack.bus.publish(subject('a'), {}, expectation)).rejects.toThrow(JetStreamApiError);
  });

  it('does not retry a message above the payload limit of the server or the stream', async () => {
    const { subject } = await queue(stack.bus, [], { max_msg_size: 1_000 });
    for (const length of [2_000, stack.bus.connection.info!.max_payload]) {
      const published = stack.bus.publish(subject('a'), { text: 'x'.repeat(length) }, {});
      await expect(published).rejects.toMatchObject({ name: 'PermanentError', code: 'message-refused' });
    }
  });

  it('reports a subject for which the user has no permission', async () => {
    const config = { ...stack.config.bus, user: 'viewer', password: (await readSecrets(stack.dataDir))!.bus['viewer']! };
    const bus = await connectBus(config, 'test');
    onTestFinished(() => bus.close());
    await expect(bus.publish('fave.landed.clip.first.r', {}, {})).rejects.toMatchObject({ code: 'bus-access-denied' });
  });
});

it('throws UnavailableError if no server answers the connection', async () => {
  const error = await connectBus({ servers: ['127.0.0.1:1'], user: '', password: '', ca: undefined }, 'test', 300).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({
    code: 'bus-unavailable',
    message: expect.stringMatching(/^NATS does not answer \(.*\)$/) as string,
  });
});
