import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Kind } from '../../../schemas/kinds.ts';
import { defineStage } from '../../../shared/pipeline/stage.ts';
import { MAX_DELIVERIES, streams, subjects } from '../../../shared/bus/topology.ts';
import { createTinyGraph, line, createUppercase } from '../../fixtures/tiny/graph.ts';
import { exhaustDeliveries, requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { fetchConsumerLag } from '../../../shared/bus/consumers.ts';

const lowerLine = {
  name: 'lower-line',
  key: 'lowercase/clip_{clip}/lower-line.txt',
  contentType: 'text/plain',
  announced: true,
} as const satisfies Kind;

/** A second stage that consumes lines. */
const lowercase = defineStage({
  name: 'lowercase',
  version: 1,
  consumes: line,
  produces: [lowerLine],
  async run(item, { outputs, dir }) {
    const path = join(dir, 'lower-line.txt');
    await writeFile(path, (await readFile(await item.file(), 'utf8')).toLowerCase());
    await outputs.file(lowerLine, path);
  },
});

const graph = createTinyGraph(createUppercase(), lowercase);

const countMessages = async ({ bus }: Stack): Promise<number> => (await bus.manager.streams.info(streams.landed)).state.messages;

let stack: Stack;
beforeEach(async () => {
  stack = await createOwnStack();
});

it('fails the item and removes its message with the permissions of a tracker', async () => {
  await stack.startServices(['relay', 'tracker']);
  const request = requestMetadata(stack, uniqueId());
  await request.put('\0\0\0\x14ftypisom'); // the first bytes of a video
  await exhaustDeliveries(stack, 'stage-ffmpeg-0', async () => (await request.ends()) > 0);
  expect(await request.ended()).toMatchObject({ status: 'failed', errors: [{ stage: 'stage-ffmpeg-0', code: 'worker-lost' }] });
  expect(await request.deadLetters('stage-ffmpeg-0')).toMatchObject([{ code: 'worker-lost', deliveries: MAX_DELIVERIES }]);
  await vi.waitUntil(async () => (await countMessages(stack)) === 0, WAIT);
});

it('keeps the message for another stage and removes it afterwards', async () => {
  await setUpStack(stack, graph, 30);
  for (const name of ['relay', 'tracker', 'split-lines']) await start(stack, graph, name);
  const request = requestMetadata(stack, uniqueId());
  await request.put('One', { memo: 'false' });
  await exhaustDeliveries(stack, 'uppercase', async () => (await request.progress('uppercase')).length === 1);
  // The tracker acknowledges the advisory after it has handled the message.
  await vi.waitUntil(async () => (await fetchConsumerLag(stack.bus, streams.deadLetters, 'tracker-advisories')) === 0, WAIT);
  expect(await countMessages(stack)).toBe(1);

  await start(stack, graph, 'lowercase');
  expect(await request.ended()).toMatchObject({
    status: 'completed',
    outputs: { 'lower-line': 1 },
    errors: [{ stage: 'uppercase', item: 'clip_0001', code: 'worker-lost' }],
  });
  await vi.waitUntil(async () => (await countMessages(stack)) === 0, WAIT);
});

it('removes an invalid message that no worker has terminated', async () => {
  await stack.startServices(['tracker']);
  const request = requestMetadata(stack, uniqueId());
  await stack.bus.publish(subjects.landed('audio', 'first', request.id), { kind: 'audio' }, {});
  await exhaustDeliveries(stack, 'stage-librosa', async () => (await countMessages(stack)) === 0);
  await vi.waitUntil(async () => (await fetchConsumerLag(stack.bus, streams.deadLetters, 'tracker-advisories')) === 0, WAIT);
  expect(await request.deadLetters('stage-librosa')).toEqual([]);
});
