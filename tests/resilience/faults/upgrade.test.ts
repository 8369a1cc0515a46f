import { beforeAll, expect, it } from 'vitest';
import { defineGraph } from '../../../shared/pipeline/graph.ts';
import { announce } from '../../../shared/bus/landed-message.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { validate } from '../../../shared/core/validate.ts';
import { tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { announcements, requestMetadata, start, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';

let before: BeforeItem | undefined;
const old = tinyGraph((...args) => before?.(...args));
const upgraded = defineGraph([kinds.input, kinds.canary], [old.stage('split-lines'), { ...old.stage('uppercase'), version: 2 }]);

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(old, ['relay', 'tracker', 'split-lines']);
});

it('processes items again after an upgrade, without receipts of the old version', async () => {
  const announced = await announcements(stack, 'line');
  const request = requestMetadata(stack, uniqueId());
  const lines = ['one', 'two'];
  const itemOf = (text: string): string => `clip_000${lines.indexOf(text) + 1}`;
  const versionOf = async (item: string): Promise<number> =>
    validate(
      'receipt',
      JSON.parse((await stack.store.getText(`requests/${request.id}/metadata/items/uppercase/${item}.json`))!.text),
    ).version;

  // One item finishes, and the other is still running.
  const startedTexts: string[] = [];
  const reached = new Promise<void>((resolve) => {
    before = (text, _item, { signal }) =>
      startedTexts.push(text) === 1
        ? undefined
        : new Promise((_, reject) => {
            resolve();
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          });
  });
  const first = await start(stack, old, 'uppercase');
  await request.put(lines.join('\n'), { memo: 'false' });
  await reached;
  await first.kill();
  const [finished = '', running = ''] = startedTexts;
  expect(await versionOf(itemOf(finished))).toBe(1);

  const worked: string[] = [];
  before = (text) => void worked.push(text);
  // The finished item is redelivered, as after the loss of a worker before its acknowledgement.
  await announce(
    stack.bus,
    stack.store.bucket,
    announced.find(({ key }) => key.includes(itemOf(finished)))!,
    { nonce: 'again' },
  );
  const second = await start(stack, upgraded, 'uppercase');
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': 2 } });
  await second.stop();
  expect(worked).toContain(running);
  const third = worked.includes(finished) ? undefined : await start(stack, upgraded, 'uppercase');
  await expect.poll(() => worked.toSorted(), WAIT).toEqual(lines);
  await third?.stop();
  expect([await versionOf('clip_0001'), await versionOf('clip_0002')]).toEqual([2, 2]);
});
