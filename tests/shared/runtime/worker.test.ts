import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LandedMessage } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { PermanentError, RetryableError, UnavailableError } from '../../../shared/core/errors.ts';
import { publishItemEvent } from '../../../shared/bus/events.ts';
import { announce, createLandedMessage } from '../../../shared/bus/landed-message.ts';
import { decodeMetadata } from '../../../shared/pipeline/metadata.ts';
import { parseKey } from '../../../shared/pipeline/keys.ts';
import { computeSha256 } from '../../../shared/store/store.ts';
import { validate } from '../../../shared/core/validate.ts';
import { line, tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { requestMetadata, start, startProcess, WAIT, type Running, startGraph } from '../../support/harness/runtime.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';

let before: BeforeItem | undefined;
const graph = tinyGraph((...args) => before?.(...args));

let stack: Stack;
let tracking: Running;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay']);
  tracking = await start(stack, graph, 'tracker');
  await start(stack, graph, 'split-lines');
});
beforeEach(() => {
  before = undefined;
});

/** Disables the memo, which could reuse the outputs of another test. */
const withoutMemo = { memo: 'false' };
const newRequest = () => requestMetadata(stack, uniqueId());
const sha = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, computeSha256(text)]));

/** Creates a point in a stage that a test waits for (`reached`) and at which the stage waits for the test (`opened`). */
const gate = () => ({ reached: Promise.withResolvers<undefined>(), opened: Promise.withResolvers<undefined>() });

/** Announces an object of a request again, as a sweep would. */
async function announceAgain(key: string, nonce: string): Promise<LandedMessage> {
  const object = (await stack.store.head(key))!;
  const metadata = decodeMetadata(object.headers) ?? { run: 1, options: { memo: false }, attributes: {} };
  const message = createLandedMessage({ ...parseKey(key, [kinds.input, line])!, etag: object.etag, size: object.size }, metadata);
  await announce(stack.bus, stack.store.bucket, message, { nonce });
  return message;
}

describe('runWorker', () => {
  let worker: Running;
  beforeEach(async () => {
    worker = await start(stack, graph, 'uppercase');
    return () => worker.stop();
  });

  it('stores artifacts and a receipt per item, and the request completes once', async () => {
    const request = newRequest();
    await request.put('one\ntwö\n', { ...withoutMemo, suffix: '?' });
    const end = await request.ended();
    expect(end).toMatchObject({
      status: 'completed',
      run: 1,
      input: 'text.txt',
      errors: [],
      outputs: { line: 2, 'upper-line': 2 },
      stages: { 'split-lines': { expected: 1, done: 1, complete: true }, uppercase: { expected: 2, done: 2, complete: true } },
    });
    expect(await request.artifacts()).toEqual(
      sha({
        'input/text.txt': 'one\ntwö\n',
        'split-lines/clip_0001/line.txt': 'one',
        'split-lines/clip_0002/line.txt': 'twö',
        'uppercase/clip_0001/upper-line.txt': 'ONE?',
        'uppercase/clip_0002/upper-line.txt': 'TWÖ?',
      }),
    );
    expect(await request.state()).toEqual(end);
    for (const [stage, item] of [
      ['split-lines', 'input'],
      ['uppercase', 'clip_0001'],
      ['uppercase', 'clip_0002'],
    ] as const) {
      const receipt = validate(
        'receipt',
        JSON.parse((await stack.store.getText(`requests/${request.id}/metadata/items/${stage}/${item}.json`))!.text),
      );
      expect(receipt).toMatchObject({ stage, item, outcome: 'done', run: 1 });
      const source = (await stack.store.getText(`requests/${request.id}/${receipt.source.key}`))!.text;
      expect(receipt.source.sha256).toBe(computeSha256(source));
      for (const output of receipt.outputs)
        expect(await stack.store.head(`requests/${request.id}/${output.key}`)).toMatchObject({
          etag: output.etag,
          size: output.size,
          headers: {
            'x-amz-meta-fave-sha256': output.sha256,
            'x-amz-meta-fave-input': computeSha256('one\ntwö\n'),
          },
        });
    }
    expect(await request.lifecycle('accepted')).toHaveLength(1);
    expect(await request.ends()).toBe(1);
  });

  it('retries an item after a retryable error', async () => {
    const request = newRequest();
    let attempts = 0;
    before = () => {
      if (++attempts === 1) throw new RetryableError('object-changed', 'it does not work yet');
    };
    await request.put('one', withoutMemo);
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [] });
    expect(await request.progress('uppercase')).toMatchObject([{ outcome: 'done', deliveries: 2 }]);
    expect(await request.deadLetters('uppercase')).toEqual([]);
  });

  it('retries an item after an unknown error', async () => {
    const request = newRequest();
    let attempts = 0;
    before = () => {
      if (++attempts === 1) (undefined as unknown as { x: () => void }).x();
    };
    await request.put('one', withoutMemo);
    expect(await request.ended()).toMatchObject({ status: 'completed' });
    expect(attempts).toBe(2);
  });

  it('fails only the item of a permanent error, with event, dead letter and receipt, and the request completes with errors', async () => {
    const request = newRequest();
    before = (text) => {
      if (text === 'bad') throw new PermanentError('unreadable-frame', 'this line is bad', { stderr: 'tool: bad' });
    };
    await request.put('good\nbad\nfine', withoutMemo);
    const error = {
      code: 'unreadable-frame',
      message: 'this line is bad',
      file: 'split-lines/clip_0002/line.txt',
      stderr: 'tool: bad',
    };
    expect(await request.ended()).toMatchObject({
      status: 'completed',
      outputs: { 'upper-line': 2 },
      errors: [{ stage: 'uppercase', item: 'clip_0002', ...error }],
      stages: { uppercase: { expected: 3, done: 2, failed: 1 } },
    });
    expect((await request.progress('uppercase')).find(({ outcome }) => outcome === 'failed')).toMatchObject({
      item: 'clip_0002',
      error,
      outputs: [],
      deliveries: 1,
    });
    expect(await request.deadLetters('uppercase')).toMatchObject([
      {
        ...error,
        stage: 'uppercase',
        item: 'clip_0002',
        deliveries: 1,
        landed: { key: `requests/${request.id}/split-lines/clip_0002/line.txt` },
      },
    ]);
    const receipt = (await stack.store.getText(`requests/${request.id}/metadata/items/uppercase/clip_0002.json`))!.text;
    expect(validate('receipt', JSON.parse(receipt))).toMatchObject({ outcome: 'failed', error });
  });

  it('fails a request without a usable result once', async () => {
    const request = newRequest();
    await request.put('\n', withoutMemo);
    const end = await request.ended();
    expect(end).toMatchObject({
      status: 'failed',
      errors: [
        { stage: 'split-lines', item: 'input', code: 'empty-file', message: '"text.txt" has no lines', file: 'input/text.txt' },
      ],
    });
    expect(await request.state()).toEqual(end);
    expect(await request.ends()).toBe(1);
  });

  it('skips a redelivered item and changes nothing', async () => {
    const request = newRequest();
    await request.put('one\ntwo', withoutMemo);
    await request.ended();
    const artifacts = await request.artifacts();
    const writes: string[] = [];
    before = (text) => void writes.push(text);
    const [splitBefore, uppercaseBefore] = [
      (await request.progress('split-lines')).length,
      (await request.progress('uppercase')).length,
    ];
    await announceAgain(`requests/${request.id}/input/text.txt`, 'again');
    await announceAgain(`requests/${request.id}/split-lines/clip_0002/line.txt`, 'again');
    await idle();
    expect(writes).toEqual([]);
    expect(await request.artifacts()).toEqual(artifacts);
    expect(await request.ends()).toBe(1);
    // The events have the same ids as before, so JetStream drops them.
    expect([(await request.progress('split-lines')).length, (await request.progress('uppercase')).length]).toEqual([
      splitBefore,
      uppercaseBefore,
    ]);
  });

  it('prefers a late `done` to `failed` while the run is open', async () => {
    const request = newRequest();
    const held = gate();
    before = async (text) => {
      if (text === 'bad') throw new PermanentError('unreadable-frame', 'this line is bad');
      held.reached.resolve(undefined);
      await held.opened.promise;
    };
    await request.put('bad\nslow', withoutMemo);
    await held.reached.promise;
    const [failed] = await vi.waitUntil(
      async () => ((await request.progress('uppercase')).length > 0 ? request.progress('uppercase') : undefined),
      WAIT,
    );
    const { error: _, ...settled } = failed!;
    await publishItemEvent(stack.bus, 'uppercase', { ...settled, outcome: 'done' });
    held.opened.resolve(undefined);
    expect(await request.ended()).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { uppercase: { done: 2, failed: 0 } },
    });
  });

  it('completes a request once after the tracker was replaced', async () => {
    const request = newRequest();
    const held = gate();
    before = async () => {
      held.reached.resolve(undefined);
      await held.opened.promise;
    };
    await request.put('one\ntwo', withoutMemo);
    await held.reached.promise;
    await tracking.kill();
    held.opened.resolve(undefined);
    await vi.waitUntil(async () => (await request.progress('uppercase')).length === 2, WAIT);
    expect(await request.ends()).toBe(0);
    tracking = await start(stack, graph, 'tracker');
    expect(await request.ended()).toMatchObject({ status: 'completed', stages: { uppercase: { done: 2 } } });
    expect(await request.ends()).toBe(1);
  });

  it('ends each request once with two trackers', async () => {
    const second = await start(stack, graph, 'tracker');
    const requests = Array.from({ length: 6 }, newRequest);
    await Promise.all(requests.map((request, n) => request.put(n % 2 ? 'one\ntwo' : '\n', withoutMemo)));
    for (const request of requests) await request.ended();
    await second.stop();
    for (const request of requests) expect(await request.ends()).toBe(1);
  });
});

/** Waits until no consumer has lag. */
async function idle(): Promise<void> {
  await vi.waitUntil(async () => (await fetchStreamLag(stack.bus, 'FAVE_LANDED', /^(split-lines|uppercase)-/)) === 0, WAIT);
}

describe('runWorker after a dead letter could not be published', () => {
  it('publishes it at the redelivery without running the stage again', async () => {
    const request = newRequest();
    let attempts = 0;
    before = () => {
      attempts += 1;
      throw new PermanentError('unreadable-frame', 'this line is bad');
    };
    let refused = 0;
    const publish: Bus['publish'] = (subject, ...rest) =>
      subject.startsWith('fave.dlq.') && ++refused === 1
        ? Promise.reject(new UnavailableError('bus-unavailable', 'NATS does not answer'))
        : stack.bus.publish(subject, ...rest);
    const worker = await start({ ...stack, bus: { ...stack.bus, publish } }, graph, 'uppercase');
    await request.put('bad', withoutMemo);
    expect(await request.ended()).toMatchObject({ status: 'failed', errors: [{ stage: 'uppercase', code: 'unreadable-frame' }] });
    expect(await request.deadLetters('uppercase')).toMatchObject([
      { item: 'clip_0001', code: 'unreadable-frame', deliveries: 2 },
    ]);
    expect([refused, attempts]).toEqual([2, 1]);
    await worker.stop();
  });
});

describe('runWorker during shutdown', () => {
  it('finishes the running item and takes no other', async () => {
    const request = newRequest();
    const held = gate();
    before = async () => {
      held.reached.resolve(undefined);
      await held.opened.promise;
    };
    const worker = await start(stack, graph, 'uppercase');
    await request.put('one\ntwo', withoutMemo);
    await held.reached.promise;
    const stopped = worker.stop();
    held.opened.resolve(undefined);
    await stopped;
    expect(await request.progress('uppercase')).toMatchObject([{ outcome: 'done' }]);
    expect(Object.keys(await request.artifacts()).filter((path) => path.startsWith('uppercase/'))).toHaveLength(1);
    const next = await start(stack, graph, 'uppercase');
    expect(await request.ended()).toMatchObject({ status: 'completed', stages: { uppercase: { done: 2 } } });
    await next.stop();
  });

  it('releases the running item after the grace period to another worker', async () => {
    const request = newRequest();
    const held = gate();
    before = (_text, _item, { signal }) => {
      held.reached.resolve(undefined);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
    };
    const worker = await start(stack, graph, 'uppercase');
    await request.put('one', withoutMemo);
    await held.reached.promise;
    await worker.kill();
    before = undefined;
    const next = await start(stack, graph, 'uppercase');
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [] });
    expect(await request.progress('uppercase')).toMatchObject([{ outcome: 'done', deliveries: 2 }]);
    await next.stop();
  });

  it('exits with code 0 after SIGTERM', async () => {
    const worker = await startProcess(stack);
    await worker.logged('service:ready');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });
});

describe('a worker process', () => {
  it(
    'may be killed at any call: its successor stores the same artifacts and the request completes once',
    { timeout: 300_000 },
    async () => {
      const points = 16;
      const requests = Array.from({ length: points }, newRequest);
      for (const [n, request] of requests.entries()) await request.put(`line ${n}`, withoutMemo);
      await vi.waitUntil(
        async () => (await Promise.all(requests.map((request) => request.progress('split-lines')))).flat().length === points,
        WAIT,
      );
      const ends: (number | string)[] = [];
      for (let point = 1; point <= points; point++)
        ends.push(await (await startProcess(stack, { diesAfter: point, env: { FAVE_LOG_LEVEL: 'silent' } })).ended);
      expect(ends).toEqual(ends.map(() => 'SIGKILL'));
      const worker = await start(stack, graph, 'uppercase');
      for (const [n, request] of requests.entries()) {
        expect(await request.ended()).toMatchObject({ status: 'completed', errors: [] });
        expect(await request.artifacts()).toEqual(
          sha({
            'input/text.txt': `line ${n}`,
            'split-lines/clip_0001/line.txt': `line ${n}`,
            'uppercase/clip_0001/upper-line.txt': `LINE ${n}!`,
          }),
        );
      }
      await idle();
      for (const request of requests)
        expect([await request.ends(), (await request.progress('uppercase')).length]).toEqual([1, 1]);
      await worker.stop();
    },
  );

  it('changes nothing when it resumes after its item was redelivered', async () => {
    const request = newRequest();
    const paused = await startProcess(stack, { env: { PAUSE: '1' } });
    await paused.logged('service:ready');
    await request.put('pause', withoutMemo);
    await paused.logged('item:start');
    const other = await start(stack, graph, 'uppercase');
    expect(await request.ended()).toMatchObject({ status: 'completed' });
    expect(await request.progress('uppercase')).toMatchObject([{ deliveries: 2 }]);
    const artifacts = await request.artifacts();
    paused.child.kill('SIGCONT');
    await paused.logged('item:done');
    paused.child.kill('SIGTERM');
    await paused.ended;
    await other.stop();
    expect(await request.artifacts()).toEqual(artifacts);
    expect([await request.ends(), (await request.progress('uppercase')).length]).toEqual([1, 1]);
  });
});
