import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CloudEvent } from '../../../schemas/generated/types.ts';
import { publishLifecycle } from '../../../shared/bus/events.ts';
import { streams, subjects } from '../../../shared/bus/topology.ts';
import { start, readStoredMessages, WAIT } from '../../support/harness/runtime.ts';
import { graph, vary } from './graph.ts';
import { startPipeline, type Pipeline } from './pipeline.ts';
import { fetchConsumerLag } from '../../../shared/bus/consumers.ts';
import { createTempDir } from '../../support/temp-dir.ts';
import { failure } from '../../support/harness/run-cli.ts';

vi.mock('../../../services/pipeline.ts', async () => ({ graph: (await import('./graph.ts')).graph }));

let pipeline: Pipeline;
const dir = createTempDir();
beforeAll(async () => {
  pipeline = await startPipeline();
});
beforeEach(() => {
  vary.before = undefined;
});

const withoutMemo = { memo: 'false' };

/** Maximum time from the cancellation to the end of a running tool, in milliseconds. */
const KILLED_WITHIN = 2_000;

/** Whether a process of the group runs; zombies do not count (Linux). */
function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf);
  return stats.some(([state, , pgrp]) => pgrp === String(group) && state !== 'Z');
}

/** Returns the state, parent and group of a process from `/proc/{pid}/stat`. */
function statOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  } catch {
    return [];
  }
}

/** Makes `uppercase` run a sleeping tool with a sleeping child. Returns their process group when they run. */
function sleepingTool(name: string): () => Promise<number> {
  const file = join(dir, name);
  vary.before = async (_, __, { exec }) => {
    await exec('sh', ['-c', `sleep 600 & echo $$ > ${file}; wait`]);
  };
  return async () => {
    await vi.waitUntil(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), WAIT);
    return Number(readFileSync(file, 'utf8'));
  };
}

/** Waits until the state file of a request has the status `cancelled`. */
async function cancelledState(id: string): Promise<unknown> {
  return vi.waitUntil(async () => {
    const found = await pipeline.stack.store.getText(`requests/${id}/metadata/state.json`);
    const state = found && (JSON.parse(found.text) as { status: string });
    return state?.status === 'cancelled' && state;
  }, WAIT);
}

describe('fave cancel', () => {
  it('aborts running items, skips queued ones, and no completion follows', async () => {
    const running = sleepingTool('group');
    const request = pipeline.request();
    await request.put('one\ntwo\nthree', withoutMemo);
    const group = await running();
    await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 1, WAIT);
    const { code, stdout } = await pipeline.fave('cancel', request.id, '--reason', 'nobody wants it');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('is cancelled (run 1)') });
    await vi.waitUntil(() => !isAlive(group), { ...WAIT, interval: 5 });
    const gone = Date.now();
    const [cancelled] = await readStoredMessages<CloudEvent>(
      pipeline.stack,
      streams.requests,
      subjects.lifecycle(request.id, 'cancelled'),
    );
    const took = gone - Date.parse(cancelled!.time);
    console.info(`the tool exited ${took} ms after the cancelled event`);
    expect(took).toBeLessThan(KILLED_WITHIN);

    // All three lines left the queue without an outcome.
    await vi.waitUntil(async () => (await fetchConsumerLag(pipeline.stack.bus, 'FAVE_LANDED', 'uppercase-first')) === 0, WAIT);
    expect(await request.progress('uppercase')).toEqual([]);
    expect(await request.deadLetters('uppercase')).toEqual([]);
    expect(JSON.parse((await pipeline.stack.store.getText(`requests/${request.id}/metadata/cancelled.json`))!.text)).toEqual({
      run: 1,
      reason: 'nobody wants it',
    });
    const state = await cancelledState(request.id);
    expect(state).toMatchObject({
      run: 1,
      errors: [{ code: 'cancelled', message: 'nobody wants it' }],
      stages: { 'split-lines': { done: 1 } },
    });
    expect([await request.ends(), await request.endsOf(1)]).toEqual([0, 1]);

    expect(await pipeline.fave('cancel', request.id)).toMatchObject(failure('has already ended (run 1: cancelled)'));
    vary.before = undefined;
    expect(await pipeline.fave('replay', request.id, '--wait')).toMatchObject({ code: 0 });
    expect(await request.end(2)).toMatchObject({
      status: 'completed',
      stages: { 'split-lines': { skipped: 1 }, uppercase: { done: 3 } },
    });
  });

  it('fails for a request that has ended or does not exist', async () => {
    const request = pipeline.request();
    await request.put('one', withoutMemo);
    await request.end(1);
    expect(await pipeline.fave('cancel', request.id)).toMatchObject(failure('(run 1: completed)'));
    expect(await request.lifecycle('cancelled')).toEqual([]);
    expect(await pipeline.fave('cancel', 'nobody')).toMatchObject(failure('there is no request nobody'));
    expect(await pipeline.fave('cancel', 'no/id')).toMatchObject({ code: 2 });
  });

  it('is recorded by the next tracker if none is running', async () => {
    const running = sleepingTool('untracked');
    const request = pipeline.request();
    await request.put('one', withoutMemo);
    await running();
    await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 1, WAIT);
    await pipeline.running['tracker']?.stop();
    expect(await pipeline.fave('cancel', request.id)).toMatchObject({ code: 0 });
    await start(pipeline.stack, graph, 'tracker');
    await cancelledState(request.id);
  });
});

describe('the tracker', () => {
  it('closes a run despite events of an earlier run', async () => {
    const request = pipeline.request();
    await request.put('one', withoutMemo);
    await request.end(1);
    const opened = Promise.withResolvers<undefined>();
    vary.before = () => opened.promise;
    await pipeline.fave('replay', request.id, '--only', 'uppercase');
    await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 2, WAIT);
    await publishLifecycle(
      pipeline.stack.bus,
      'test',
      'accepted',
      { request_id: request.id, run: 1, status: 'accepted' },
      { distinct: 'late' },
    );
    opened.resolve(undefined);
    expect(await request.end(2)).toMatchObject({ status: 'completed' });
    expect(await request.state()).toMatchObject({ run: 2, status: 'completed' });
  });
});
