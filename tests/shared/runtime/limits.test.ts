import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MAX_ANNOUNCED_OUTPUTS } from '../../../shared/runtime/workdir/outputs.ts';
import { createTinyGraph } from '../../fixtures/tiny/graph.ts';
import { requestMetadata, start, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';

/** Only the stage `split-lines`, whose item has one output per line. */
const graph = createTinyGraph();

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'tracker']);
});

/** Runs a text through the stage and returns the request after its end. */
async function process(text: string, limits = {}): Promise<ReturnType<typeof requestMetadata>> {
  const worker = await start(stack, graph, 'split-lines', { limits: { ...stack.config.limits, ...limits } });
  onTestFinished(worker.stop);
  const request = requestMetadata(stack, uniqueId());
  await request.put(text, { memo: 'false' });
  await request.ended();
  return request;
}

describe('an item', () => {
  it('fails at the first output above the limit and lists those before in an event below the payload limit', async () => {
    const request = await process('x\n'.repeat(MAX_ANNOUNCED_OUTPUTS + 1));
    const [event] = await request.progress('split-lines');
    expect(event).toMatchObject({ outcome: 'failed', deliveries: 1, error: { code: 'too-many-outputs' } });
    expect(event?.outputs).toHaveLength(MAX_ANNOUNCED_OUTPUTS);
    expect(JSON.stringify(event).length).toBeLessThan(stack.bus.connection.info!.max_payload / 2);
    expect(await request.deadLetters('split-lines')).toMatchObject([{ code: 'too-many-outputs' }]);
  });

  it('fails if its outputs exceed the size of a request', async () => {
    const request = await process('12345\n67890\n1', { outputBytes: 10 });
    expect(await request.progress('split-lines')).toMatchObject([
      { outcome: 'failed', output_bytes: 10, outputs: [{ item: 'clip_0001' }, { item: 'clip_0002' }] },
    ]);
    expect(await request.ended()).toMatchObject({ status: 'failed', errors: [{ code: 'too-much-output' }] });
  });

  it('reports the size of its outputs', async () => {
    const request = await process('12345\n67890', { outputBytes: 10 });
    expect(await request.progress('split-lines')).toMatchObject([{ outcome: 'done', output_bytes: 10 }]);
    expect(await request.ended()).toMatchObject({ status: 'completed' });
  });
});
