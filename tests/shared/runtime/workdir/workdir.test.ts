import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../../../shared/observability/log.ts';
import type { Attempt } from '../../../../shared/runtime/attempt/attempt.ts';
import { createBackgroundTasks } from '../../../../shared/runtime/service/background-tasks.ts';
import { withWorkdir } from '../../../../shared/runtime/workdir/run-stage.ts';
import { createStore } from '../../../../shared/store/store.ts';
import { splitLines } from '../../../fixtures/tiny/graph.ts';
import { startProxy } from '../../../fixtures/proxy.ts';
import { useSharedStack, uniqueId, type Stack } from '../../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

// A store counts as lost after 20 s of silence, and would be asked again.
it('what an attempt left under way ends with it', { timeout: 10_000 }, async () => {
  const tmp = mkdtempSync(join(tmpdir(), 'fave-perform-'));
  onTestFinished(() => rmSync(tmp, { recursive: true }));
  const proxy = await startProxy(Number(new URL(stack.config.store.endpoint).port));
  const store = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${proxy.port}` });
  onTestFinished(() => store.close());
  proxy.hang();

  const id = uniqueId();
  const landed = { request_id: id, key: `requests/${id}/input/a.txt`, etag: 'etag', size: 1, attributes: {} };
  const attempt = { stage: splitLines, landed, abort: new AbortController() } as unknown as Attempt;
  const background = createBackgroundTasks(createLogger({}, 'silent'));
  const workshop = { store, tmpdir: tmp, background } as unknown as Parameters<typeof withWorkdir>[1];
  let downloading: Promise<unknown> | undefined;
  const attempted = withWorkdir(
    attempt,
    workshop,
    () => Promise.reject(new Error('not asked')),
    async (item) => {
      downloading = item.file().catch((error: unknown) => error);
      await vi.waitUntil(() => proxy.connections() === 1);
      throw new Error('the receipt cannot be read');
    },
  );
  await expect(attempted).rejects.toThrow('the receipt cannot be read');
  expect(await downloading).toMatchObject({ name: 'AbortError' });
  await background.finish();
  expect(readdirSync(tmp)).toEqual([]);
});
