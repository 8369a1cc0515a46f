import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { requestMetadata, startGraph } from '../../support/harness/runtime.ts';
import { findProcesses } from '../chaos/orphans.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { createTwoOutputGraph, phases } from './fixture/graph.ts';
import { itemsDir, startTwoOutputStage } from './fixture/process.ts';

const graph = createTwoOutputGraph();

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'tracker']);
});

/** Returns the objects and events of a request that has ended. */
async function readResult(request: ReturnType<typeof requestMetadata>) {
  const { status, errors } = await request.ended();
  return {
    status,
    errors,
    artifacts: await request.artifacts(),
    ends: await request.ends(),
    settled: (await request.progress('two-outputs')).length,
  };
}

describe('a worker', () => {
  let expected: Awaited<ReturnType<typeof readResult>>;
  beforeAll(async () => {
    const worker = await startTwoOutputStage(stack);
    const request = requestMetadata(stack, uniqueId());
    await request.put('sample', { memo: 'false' });
    expected = await readResult(request);
    await worker.kill('SIGTERM');
    expect(expected).toMatchObject({ status: 'completed', errors: [], ends: 1, settled: 1 });
    expect(Object.keys(expected.artifacts)).toEqual(['input/text.txt', 'two-outputs/output-a.txt', 'two-outputs/output-b.txt']);
  });

  it.each(phases)('leaves its item to another worker with an equal result if it is killed %s', async (phase) => {
    const request = requestMetadata(stack, uniqueId());
    const lost = await startTwoOutputStage(stack, { phase });
    await request.put('sample', { memo: 'false' });
    await lost.logged('phase');
    await lost.kill('SIGKILL');

    const next = await startTwoOutputStage(stack);
    expect(await readResult(request)).toEqual(expected);
    expect(findProcesses(itemsDir)).toEqual([]);
    await next.kill('SIGTERM');
    expect(readdirSync(itemsDir)).toEqual([]);
  });
});
