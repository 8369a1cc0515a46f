import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { LandedMessage } from '../../../schemas/generated/types.ts';
import type { Kind } from '../../../schemas/kinds.ts';
import { graph as pipeline } from '../../../services/pipeline.ts';
import { pathOf } from '../../../shared/pipeline/keys.ts';
import { createItem } from '../../../shared/runtime/workdir/item.ts';
import { streams, subjects } from '../../../shared/bus/topology.ts';
import { line, tinyGraph } from '../../fixtures/tiny/graph.ts';
import { requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';
import { createTempDir } from '../../support/temp-dir.ts';

/** Invalid input for every boundary. */
const GARBAGE = [
  '',
  'garbage',
  '{',
  'null',
  '[]',
  '0',
  '{}',
  '{"__proto__":{"a":1}}',
  '"\\u0000"',
  '['.repeat(5_000),
  '{"request_id":"../x","key":"requests/../x"}',
];

const graph = tinyGraph();

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await setUpStack(stack, graph, 5);
  for (const service of ['relay', 'tracker', 'split-lines', 'uppercase']) await start(stack, graph, service);
});

const newRequest = () => requestMetadata(stack, uniqueId());

/** Publishes each piece of garbage. */
async function publishGarbage(subject: string): Promise<void> {
  for (const text of GARBAGE) await stack.bus.jetstream.publish(subject, text);
}

/** Checks that a request completes. */
async function expectWorking(): Promise<void> {
  const request = newRequest();
  await request.put('one\ntwo', { memo: 'false' });
  expect(await request.ended()).toMatchObject({ status: 'completed' });
}

describe('garbage instead of a message', () => {
  it.each([
    ['a notification', 'fave.raw.fast', streams.raw],
    ['an announcement of an input', subjects.landed('input', 'first', 'x'), streams.landed],
    ['an announcement of an artifact', subjects.landed(line.name, 'rest', 'x'), streams.landed],
    ['an event of a request', subjects.lifecycle('x', 'accepted'), streams.requests],
    ['the end of a request', subjects.lifecycle('x', 'completed'), streams.requests],
    ['an event of a stage', subjects.stage('x', 'uppercase'), streams.requests],
  ])('discards %s and continues', async (_, subject, stream) => {
    await publishGarbage(subject);
    await expectWorking();
    if (stream !== streams.requests) await vi.waitUntil(async () => (await fetchStreamLag(stack.bus, stream)) === 0, WAIT);
  });
});

describe('garbage instead of an object of the platform', () => {
  it.each(GARBAGE)('rejects the upload with the reason if request.json is %j', async (text) => {
    const request = newRequest();
    await stack.store.put(`requests/${request.id}/metadata/request.json`, text);
    await request.put('one');
    const [rejected] = await vi.waitUntil(
      async () => ((found) => found.length > 0 && found)(await request.lifecycle('rejected')),
      WAIT,
    );
    expect(rejected).toMatchObject({
      errors: [{ code: 'invalid-request', message: expect.stringContaining('not a valid request') as string }],
    });
  });

  it.each(GARBAGE)('processes the item if its receipt is %j', async (text) => {
    const request = newRequest();
    for (const path of ['split-lines/input', 'uppercase/clip_0001'])
      await stack.store.put(`requests/${request.id}/metadata/items/${path}.json`, text);
    await request.put('one', { memo: 'false' });
    expect(await request.ended()).toMatchObject({ status: 'completed' });
    expect(Object.keys(await request.artifacts())).toContain('uppercase/clip_0001/upper-line.txt');
  });

  it.each(GARBAGE)('processes the item if its memo entry is %j', async (text) => {
    const content = uniqueId('text');
    const [first, second] = [newRequest(), newRequest()];
    await first.put(content);
    await first.ended();
    // One of each stage.
    await vi.waitUntil(async () => (await first.memoKeys()).length === 2, WAIT);
    for (const key of await first.memoKeys()) await stack.store.put(key, text);
    await second.put(content);
    expect(await second.ended()).toMatchObject({
      status: 'completed',
      stages: { 'split-lines': { done: 1, reused: 0 }, uppercase: { done: 1, reused: 0 } },
    });
    expect(await second.artifacts()).toEqual(await first.artifacts());
  });
});

describe('garbage instead of an option', () => {
  it.each([
    ['nonsense', '1', 'unknown-option'],
    ['suffix', 'much too long a suffix', 'invalid-option'],
    ['timeout', 'soon', 'invalid-option'],
    ['timeout', '-1', 'invalid-option'],
    ['memo', 'perhaps', 'invalid-option'],
    ['constructor', '1', 'unknown-option'],
  ])('%s=%s is rejected by name', async (name, value, code) => {
    const request = newRequest();
    await request.put('one', { [name]: value });
    const [rejected] = await vi.waitUntil(
      async () => ((found) => found.length > 0 && found)(await request.lifecycle('rejected')),
      WAIT,
    );
    expect(rejected).toMatchObject({ errors: [{ code, message: expect.stringContaining(name) as string }] });
  });
});

describe('garbage instead of an artifact', () => {
  const withSchema: Kind[] = pipeline.kinds.filter(({ schema }) => schema !== undefined);

  it.each(withSchema.map((kind) => [kind.name, kind] as const))('rejects the artifact %s as invalid', async (_, kind) => {
    const dir = createTempDir();
    const id = uniqueId();
    const key = `requests/${id}/${pathOf(kind, { indices: { batch: 1, clip: 1 } })}`;
    for (const text of GARBAGE) {
      const { etag } = await stack.store.put(key, text);
      const landed: LandedMessage = {
        kind: kind.name,
        lane: 'first',
        request_id: id,
        key,
        etag,
        size: text.length,
        run: 1,
        options: {},
        attributes: {},
      };
      const request = (): never => expect.fail('the request is not read');
      const item = createItem(landed, kind, {
        store: stack.store,
        dir,
        signal: new AbortController().signal,
        request,
        reads: [],
      });
      await expect(item.json(), text.slice(0, 40)).rejects.toMatchObject({ code: `invalid-${kind.schema}` });
    }
  });
});
