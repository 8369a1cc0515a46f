import { beforeAll, describe, expect, it, vi } from 'vitest';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { readDeadLetters } from '../../../shared/requests/redrive.ts';
import { readRunStates } from '../../../shared/requests/read-run-states.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { digestFile } from '../../../shared/store/store.ts';
import { attackAsStage } from '../../fixtures/hostile-stage.ts';
import { requestMetadata, WAIT } from '../../support/harness/runtime.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';
import { chirp, generateMedia } from '../../support/media.ts';
import { createOwnStack, uniqueId, type RunningService, type Stack } from '../../support/stack.ts';

vi.setConfig({ testTimeout: 240_000 });

let stack: Stack;
let services: RunningService[];
beforeAll(async () => {
  stack = await createOwnStack();
  services = await stack.startServices(serviceNames(graph), { FAVE_ACK_WAIT_SECONDS: '3', FAVE_RETRY_FACTOR: '0.01' });
});

/** Uploads three seconds of sound as a new request. */
async function submit(): Promise<ReturnType<typeof requestMetadata>> {
  const request = requestMetadata(stack, uniqueId());
  const path = generateMedia('sound.m4a', ...chirp(3), '-c:a', 'aac');
  const headers = { 'x-amz-meta-fave-memo': 'false' };
  await stack.store.upload(`requests/${request.id}/input/sound.m4a`, { path, ...(await digestFile(path)) }, { headers });
  return request;
}

/** Returns the events and objects of a request that an attack must not change. */
async function observe(request: ReturnType<typeof requestMetadata>): Promise<object> {
  const { run, status, input, options, outputs, errors, stages = {} } = await request.state();
  const items = Object.entries(stages).map(([name, { expected, done, failed }]) => [name, expected, done, failed]);
  const { length: accepted } = await request.lifecycle('accepted');
  const state = { run, status, input, options, outputs, errors, items, accepted, ends: await request.ends() };
  return { state, artifacts: await request.artifacts() };
}

describe('a stage that was taken over', () => {
  let expected: object;
  let ended: ReturnType<typeof requestMetadata>;
  beforeAll(async () => {
    ended = await submit();
    expect(await ended.ended()).toMatchObject({ status: 'completed', errors: [] });
    expected = await observe(ended);
  });

  // The first stage, which consumes inputs, one in the middle, and the last one.
  it.each(['stage-ffmpeg-0', 'stage-ffmpeg-1', 'stage-grep'])('does not affect other requests or stages as %s', async (role) => {
    const before = services.map(({ pid }) => pid);
    const others = [await submit(), await submit()];
    const [open] = others as [ReturnType<typeof requestMetadata>];
    const absent = uniqueId('absent');
    const results = await attackAsStage(stack, role, { open: open.id, ended: ended.id, absent });
    others.push(await submit());

    for (const request of others) {
      expect(await request.ended()).toMatchObject({ status: 'completed', run: 1, errors: [] });
      // Only invalid objects below the prefix of the stage may be added to the requests that are attacked.
      if (request === open) expect(await observe(request)).toMatchObject(expected);
      else expect(await observe(request)).toEqual(expected);
    }
    await vi.waitUntil(async () => (await fetchStreamLag(stack.bus, streams.landed)) === 0, WAIT);
    expect(await observe(ended)).toMatchObject(expected);
    expect((await requestMetadata(stack, absent).lifecycle('accepted')).length).toBe(0);
    for (const { state, ended: isEnded } of (await readRunStates(stack.bus, graph, open.id)).values())
      expect([state.run, isEnded]).toEqual([1, true]);

    // No message is delivered without end, and no dead letter is about another stage or request.
    expect(results.get('message-refused')).toHaveLength(3);
    const letters = await readDeadLetters(stack.bus, graph, { seqs: [] });
    expect(letters.filter(({ landed }) => landed.request_id === open.id && landed.run === 1)).toEqual([]);
    expect(services.map(({ pid }) => pid)).toEqual(before);
    for (const { http } of services) expect((await fetch(`http://127.0.0.1:${http}/healthz`)).status).toBe(200);

    const accepted = results.get('accepted') ?? [];
    const own = new RegExp(
      `^(fave\\.requests\\.[^.]+\\.stage\\.${role}|fave\\.dlq\\.${role}\\.|fave\\.landed\\.|requests/.*/${role}/)`,
    );
    expect(accepted.filter((target) => !own.test(target))).toEqual([]);
    expect(results.get('bus-access-denied')?.length).toBeGreaterThan(50);
    expect(results.get('access-denied')?.length).toBeGreaterThan(20);
  });
});
