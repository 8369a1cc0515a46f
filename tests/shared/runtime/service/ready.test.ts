import { beforeAll, expect, it } from 'vitest';
import { tinyGraph } from '../../../fixtures/tiny/graph.ts';
import { createOwnStack, type Stack } from '../../../support/stack.ts';
import { setUpStack, startProcess } from '../../../support/harness/runtime.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await setUpStack(stack, tinyGraph());
});

it('sends its parent a ready message with its port and cold start, whatever the log level', async () => {
  const worker = await startProcess(stack, { env: { FAVE_LOG_LEVEL: 'error' } });
  const ready = await worker.ready;
  expect(ready.type).toBe('ready');
  expect((await fetch(`http://127.0.0.1:${ready.http}/healthz`)).status).toBe(200);
  expect(ready.imports_ms + ready.connections_ms + ready.model_ms!).toBeLessThanOrEqual(ready.ready_ms + 3);
  worker.child.disconnect();
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});
