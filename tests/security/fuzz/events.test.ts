import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { relay } from '../../../services/relay/relay.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { parseKey } from '../../../shared/pipeline/keys.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createMetrics } from '../../../shared/runtime/service/metrics.ts';
import type { Service } from '../../../shared/runtime/service/service.ts';
import type { Store } from '../../../shared/store/store.ts';
import { validate } from '../../../shared/core/validate.ts';
import { exec } from '../../support/exec.ts';
import { createOwnStack, uniqueId } from '../../support/stack.ts';
import { figures } from './figures.ts';
import { damage, notification } from './notifications.ts';
import { createRandom } from './random.ts';
import { size } from './size.ts';
import { fetchConsumerLag } from '../../../shared/bus/consumers.ts';

vi.setConfig({ testTimeout: 600_000 });

const BUCKET = 'fave-artifacts';

/** The messages that the relay published, and its acknowledgement of the notification. */
interface Handled {
  readonly published: { subject: string; value: Record<string, unknown> }[];
  readonly said: string[];
}

/** The real relay on a bus and a store of memory: `handle` gives it one notification. */
async function relayInMemory(): Promise<{ handle: (text: string) => Promise<Handled>; stop: () => Promise<void> }> {
  const stopping = new AbortController();
  const arrivals = new EventEmitter();
  let published: Handled['published'] = [];
  const objects = new Map<string, string>();
  const inMemory: Pick<Store, 'bucket' | 'head' | 'getText' | 'getStart' | 'putIfAbsent'> = {
    bucket: BUCKET,
    head: () => Promise.resolve(undefined),
    getStart: () => Promise.resolve({ bytes: Buffer.from('\0\0\0\x14ftypisom', 'latin1') }),
    getText: (key) => Promise.resolve(objects.has(key) ? { text: objects.get(key)!, etag: 'e' } : undefined),
    putIfAbsent: (key, text) => Promise.resolve(objects.has(key) ? undefined : (objects.set(key, text), { etag: 'e' })),
  };
  const store = inMemory as Store;
  const bus = {
    publish: (subject: string, value: Record<string, unknown>) => Promise.resolve(void published.push({ subject, value })),
    manager: { streams: { getMessage: () => Promise.resolve(null) } },
    jetstream: {
      consumers: {
        get: () =>
          Promise.resolve({
            consume: ({ callback }: { callback: (message: unknown) => void }) => {
              arrivals.on('message', callback);
              return Promise.resolve({ close: () => Promise.resolve() });
            },
          }),
      },
    },
  } as unknown as Bus;
  let running: Promise<void> = Promise.resolve();
  await new Promise<void>((ready) => {
    const service: Service = {
      name: 'relay',
      config: readConfig({}),
      log: createLogger({}, 'silent'),
      bus,
      store,
      metrics: createMetrics('relay'),
      exec,
      drainSignal: stopping.signal,
      killSignal: stopping.signal,
      ready: () => {
        ready();
      },
      firstItem: () => undefined,
    };
    running = relay(service, graph);
  });
  return {
    handle: (text) => {
      published = [];
      objects.clear();
      const said: string[] = [];
      return new Promise((resolve) => {
        const say = (word: string) => (): void => {
          said.push(word);
          resolve({ published, said });
        };
        arrivals.emit('message', { string: () => text, ack: say('ack'), nak: say('nak'), term: say('term') });
      });
    },
    stop: () => (stopping.abort(), running),
  };
}

/** The keys that a notification names, decoded as S3 defines them. */
function namedKeys(text: string): Set<string> {
  const keys = (JSON.parse(text) as { Records: { s3: { object: { key: string } } }[] }).Records.map(({ s3 }) => s3.object.key);
  return new Set(
    keys.map((key) => {
      try {
        return decodeURIComponent(key.replaceAll('+', ' '));
      } catch {
        return key;
      }
    }),
  );
}

/** Checks that every announced key is in the notification, has a valid request id and is of a kind of the graph. */
function checkAnnounced(text: string, { subject, value }: Handled['published'][number]): void {
  const [, , kind, lane, id, ...rest] = subject.split('.');
  const landed = validate('landedMessage', value); // independent of the headers of the artifact
  expect(namedKeys(text)).toContain(landed.key);
  expect(rest).toEqual([]);
  expect(parseKey(landed.key, graph.kinds)).toMatchObject({ requestId: id, kind: { name: kind, announced: true } });
  expect(landed).toMatchObject({ kind, lane, request_id: id });
  expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
}

test(`${size.events} notifications, most of them damaged, are announced, rejected or ignored as expected (seed ${size.seed})`, async () => {
  const { handle, stop } = await relayInMemory();
  const found = figures();
  for (let index = 0; index < size.events; index++) {
    const chance = createRandom(size.seed, index);
    const text = damage(notification(graph, BUCKET, `fuzz-${index}`, chance), chance);
    const begun = performance.now();
    const { published, said } = await handle(text);
    const where = `#${index}: ${text.slice(0, 300)}`;
    expect(said, where).toHaveLength(1);
    // Nothing here can get better by being tried again.
    expect(said[0], where).toMatch(/ack|term/);
    for (const message of published) {
      if (message.subject.startsWith('fave.landed.')) checkAnnounced(text, message);
      else expect(message.subject, where).toMatch(/^fave\.requests\.[A-Za-z0-9_-]{1,64}\.(rejected|ignored)$/);
    }
    const landed = published.filter(({ subject }) => subject.startsWith('fave.landed.'));
    const done = landed.length > 0 ? 'announced' : published.length > 0 ? 'rejected' : 'ignored';
    const outcome = said[0] === 'term' ? 'invalid' : done;
    found.add(outcome, performance.now() - begun, `#${index}`);
  }
  await stop();
  console.log(found.report(`events: ${size.events} notifications, seed ${size.seed}`));
  expect(Object.keys(found.counts())).toEqual(expect.arrayContaining(['announced', 'ignored', 'invalid', 'rejected']));
});

test('processes 200 of them in the real relay on real NATS, which keeps working', async () => {
  const stack = await createOwnStack();
  const [service] = await stack.startServices(['relay']);
  const id = uniqueId();
  for (let index = 0; index < 200; index++) {
    const chance = createRandom(size.seed, index);
    const text = damage(notification(graph, BUCKET, `${id}-${index}`, chance), chance);
    // An empty message ends a pull across accounts, which delays the rest by ack_wait (docs/security.md).
    if (text !== '') await stack.bus.jetstream.publish('fave.raw.fast', text);
  }
  await vi.waitUntil(async () => (await fetchConsumerLag(stack.bus, 'FAVE_RAW', 'relay')) === 0, {
    timeout: 60_000,
    interval: 100,
  });
  expect((await fetch(`http://127.0.0.1:${service!.http}/healthz`)).status).toBe(200);
  const heard = new Promise<void>((resolve) => {
    stack.bus.connection.subscribe(`fave.landed.input.first.${id}`, {
      callback: () => {
        resolve();
      },
    });
  });
  await stack.store.put(`requests/${id}/input/a.wav`, 'RIFF\0\0\0\0WAVE');
  await heard;
});
