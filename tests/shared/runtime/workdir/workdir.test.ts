import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../../../shared/observability/log.ts';
import { createBackgroundTasks } from '../../../../shared/runtime/background-tasks.ts';
import { withWorkdir } from '../../../../shared/runtime/workdir/workdir.ts';
import { createStore } from '../../../../shared/store/store.ts';
import { splitLines } from '../../../fixtures/tiny/graph.ts';
import { startProxy } from '../../../fixtures/proxy.ts';
import { useSharedStack, type Stack } from '../../../support/stack.ts';
import { createTempDir } from '../../../support/temp-dir.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

describe('withWorkdir', () => {
  // The timeout is shorter than the 20 s of silence after which the store client gives up.
  it('aborts a download that is still running and removes the directory', { timeout: 10_000 }, async () => {
    const tmp = createTempDir();
    const proxy = await startProxy(Number(new URL(stack.config.store.endpoint).port));
    const store = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${proxy.port}` });
    onTestFinished(() => store.close());
    proxy.hang();

    const abort = new AbortController();
    const background = createBackgroundTasks(createLogger({}, 'silent'));
    let downloading: Promise<unknown> | undefined;
    const running = withWorkdir({ stage: splitLines, abort }, { tmpdir: tmp, background }, async ({ dir }) => {
      const version = { etag: 'etag', signal: abort.signal };
      downloading = store.download('requests/x/input/a.txt', join(dir, 'a.txt'), version).catch((error: unknown) => error);
      await vi.waitUntil(() => proxy.connections() === 1);
      throw new Error('the receipt cannot be read');
    });
    await expect(running).rejects.toThrow('the receipt cannot be read');
    expect(await downloading).toMatchObject({ name: 'AbortError' });
    await background.drain();
    expect(readdirSync(tmp)).toEqual([]);
  });
});
