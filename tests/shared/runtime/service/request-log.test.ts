import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger, type LogFields } from '../../../../shared/observability/log.ts';
import { createShutdown } from '../../../../shared/runtime/service/shutdown.ts';
import { createRequestLog } from '../../../../shared/runtime/service/request-log.ts';
import { createStore } from '../../../../shared/store/store.ts';
import { startProxy } from '../../../fixtures/proxy.ts';
import { useSharedStack, uniqueId, type Stack } from '../../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

const silent = createLogger({}, 'silent');

it('stores the lines of two workers that write in the same millisecond', async () => {
  const { store } = stack;
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const id = uniqueId();
  for (const line of ['one\n', 'two\n']) {
    const log = createRequestLog(store, 'uppercase', silent, new AbortController().signal);
    log.add(id, line);
    await log.flush();
  }
  const lines: (string | undefined)[] = [];
  for await (const { key } of store.list(`requests/${id}/metadata/logs/`)) lines.push((await store.getText(key))?.text);
  expect(lines.sort()).toEqual(['one\n', 'two\n']);
});

// Without the limit, each of the three writes would be retried for 30 s.
it('delays shutdown by 5 s at most for lines that cannot be stored, and logs them', { timeout: 25_000 }, async () => {
  const proxy = await startProxy(Number(new URL(stack.config.store.endpoint).port));
  const store = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${proxy.port}` });
  onTestFinished(() => store.close());
  proxy.cut();
  const warnings: LogFields[] = [];
  const shutdown = createShutdown();
  const log = createRequestLog(store, 'uppercase', { ...silent, warn: (fields) => void warnings.push(fields) }, shutdown.signal);
  const ids = [uniqueId(), uniqueId(), uniqueId()];
  for (const id of ids) log.add(id, 'line\n');
  await shutdown.wait(log.flush());
  expect(warnings.map(({ event, request_id }) => [event, request_id])).toEqual(ids.map((id) => ['request-log:failed', id]));
});
