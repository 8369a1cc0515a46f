import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../../shared/log.ts';
import { createRequestLog } from '../../../shared/runtime/request-log.ts';
import { stack as sharedStack, uniqueId, type Stack } from '../../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const silent = createLogger({}, 'silent');

it('lines that two workers put in the same millisecond are both kept', async () => {
  const { store } = stack;
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const id = uniqueId();
  for (const line of ['one\n', 'two\n']) {
    const log = createRequestLog(store, 'shout', silent);
    log.add(id, line);
    await log.flush();
  }
  const lines: (string | undefined)[] = [];
  for await (const { key } of store.list(`requests/${id}/metadata/logs/`)) lines.push((await store.text(key))?.text);
  expect(lines.sort()).toEqual(['one\n', 'two\n']);
});
