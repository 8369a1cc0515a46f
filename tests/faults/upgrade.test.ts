import { beforeAll, expect, it } from 'vitest';
import { defineGraph } from '../../shared/graph.ts';
import { announce } from '../../shared/landed.ts';
import { kinds } from '../../schemas/kinds.ts';
import { validated } from '../../shared/validate.ts';
import { tinyGraph, type Before } from '../fixtures/tiny/graph.ts';
import { announcements, requestOf, setUpFor, start } from '../runtime/harness.ts';
import { ownStack, uniqueId, type Stack } from '../stack.ts';

let before: Before | undefined;
const old = tinyGraph((...given) => before?.(...given));
const upgraded = defineGraph([kinds.input, kinds.canary], [old.stage('cut'), { ...old.stage('shout'), version: 2 }]);

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
  await setUpFor(stack, old);
  for (const name of ['relay', 'tracker', 'cut']) await start(stack, old, name);
});

it('a worker that is upgraded in the middle does its item itself, and trusts no receipt of the old version', async () => {
  const told = await announcements(stack, 'line');
  const request = requestOf(stack, uniqueId());
  const versionOf = async (item: string): Promise<number> =>
    validated('receipt', JSON.parse((await stack.store.text(`requests/${request.id}/metadata/items/shout/${item}.json`))!.text))
      .version;

  const reached = new Promise<void>((resolve) => {
    before = (text, _item, { signal }) =>
      text === 'one'
        ? undefined
        : new Promise((_, reject) => {
            resolve();
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          });
  });
  const first = await start(stack, old, 'shout');
  await request.put('one\ntwo', { memo: 'false' });
  await reached;
  await first.kill();
  expect(await versionOf('clip_0001')).toBe(1);

  const worked: string[] = [];
  before = (text) => void worked.push(text);
  // The first line comes again, as it would to a worker that was lost before its acknowledgement.
  await announce(
    stack.bus,
    stack.store.bucket,
    told.find(({ key }) => key.includes('clip_0001'))!,
    { nonce: 'again' },
  );
  const second = await start(stack, upgraded, 'shout');
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { loud: 2 } });
  await second.stop();
  expect(worked).toContain('two');
  const third = worked.includes('one') ? undefined : await start(stack, upgraded, 'shout');
  await expect.poll(() => worked.toSorted(), { timeout: 20_000 }).toEqual(['one', 'two']);
  await third?.stop();
  expect([await versionOf('clip_0001'), await versionOf('clip_0002')]).toEqual([2, 2]);
});
