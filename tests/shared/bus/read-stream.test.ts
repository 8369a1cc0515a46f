import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { readStream } from '../../../shared/bus/read-stream.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

/** Stores messages about a request; @returns their sequences. */
async function store(request: string, count: number): Promise<number[]> {
  const stored = Array.from({ length: count }, (_, n) => stack.bus.publish(`fave.dlq.split-lines.${request}`, { n }, {}));
  return (await Promise.all(stored)).map(({ seq }) => seq);
}

async function read(request: string): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of readStream(stack.bus, streams.deadLetters, `fave.dlq.*.${request}`)) seqs.push(seq);
  return seqs;
}

it('yields the stored messages of a subject, oldest first', async () => {
  await store('other', 1);
  const seqs = await store('many', 1_200);
  expect(await read('many')).toEqual(seqs.sort((a, b) => a - b));
  expect(await read('none')).toEqual([]);
});

it('does not wait for messages that are removed after they were counted', { timeout: 10_000 }, async () => {
  const [seq = 0] = await store('removed', 1);
  const { consumers } = stack.bus.jetstream;
  const get = consumers.get.bind(consumers);
  const spy = vi.spyOn(consumers, 'get').mockImplementation(async (...args) => {
    const consumer = await get(...args);
    const info = consumer.info.bind(consumer);
    consumer.info = async () => {
      const counted = await info();
      await stack.bus.manager.streams.deleteMessage(streams.deadLetters, seq).catch(() => false);
      return counted;
    };
    return consumer;
  });
  onTestFinished(() => spy.mockRestore());
  expect(await read('removed')).toEqual([]);
});
