import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { LandedMessage } from '../../../schemas/generated/types.ts';
import { createNetwork } from '../chaos/environment/network.ts';
import { requestMetadata, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { createTwoOutputGraph } from './fixture/graph.ts';
import { startTwoOutputStage } from './fixture/process.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(createTwoOutputGraph(), ['relay', 'tracker']);
});

it('completes over a slow network that resets during each output', async () => {
  const network = await createNetwork(Number(new URL(stack.config.store.endpoint).port));
  onTestFinished(() => network.close());
  network.latency = 50;
  const worker = await startTwoOutputStage({
    environment: { ...stack.environment, ARTIFACT_ENDPOINT: `http://127.0.0.1:${network.port}` },
  });
  const reset = new Set<string>();
  // The store has the output and announced it, but the response is delayed. A second PUT announces it again.
  const landing = stack.bus.connection.subscribe('fave.landed.>', {
    callback: (_, message) => {
      const { kind } = message.json<LandedMessage>();
      if (kind === 'input' || reset.has(kind)) return;
      reset.add(kind);
      network.reset();
    },
  });
  const request = requestMetadata(stack, uniqueId());
  await request.put('sample', { memo: 'false' });
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'output-a': 1, 'output-b': 1 } });
  // The last announcement may arrive after the end of the request.
  await vi.waitUntil(() => reset.has('output-a') && reset.has('output-b'), WAIT);
  landing.unsubscribe();
  expect([await request.ends(), (await request.progress('two-outputs')).length]).toEqual([1, 1]);
  expect(Object.keys(await request.artifacts())).toEqual([
    'input/text.txt',
    'two-outputs/output-a.txt',
    'two-outputs/output-b.txt',
  ]);
  await worker.kill('SIGTERM');
});
