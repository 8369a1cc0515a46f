import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPerson, findMedia, type OperatorSession } from './requests.ts';
import { assertRefused } from './unauthorised-access.ts';
import type { System } from './system.ts';

/** Submits a video of several clips. Returns when the first of them waits for the next stage, long before the end. */
async function underWay(person: OperatorSession, id: string): Promise<void> {
  const clip = await person.subscribe(`fave.landed.clip.*.${id}`);
  await person.submit(id, findMedia('long-5min.mp4'));
  await clip.message;
}

/** Checks that a request of a video with several clips has completed with the outputs of each clip. */
export async function assertWhole(person: OperatorSession, id: string): Promise<void> {
  const { errors = [] } = (await person.outcome(id)).data;
  assert.deepEqual(errors, []);
  const keys = await person.artifacts(id);
  const count = (pattern: RegExp): number => keys.filter((key) => pattern.test(key)).length;
  const clips = count(/^stage-ffmpeg-1\/.*clip\.\w+$/);
  assert(clips > 1);
  assert.equal(count(/^stage-ffmpeg-2\/.*video\.mp4$/), clips);
}

/** A request ended after a service's container had begun: what that replaced was in its midst. */
async function assertEndedAfter(system: System, service: string, person: OperatorSession, id: string): Promise<void> {
  const [container = ''] = await system.containers(service);
  const begun = (await system.docker('inspect', '--format', '{{.State.StartedAt}}', container)).trim();
  const { time } = await person.outcome(id);
  assert(Date.parse(time) > Date.parse(begun), `${id} had ended at ${time}, before ${service} was started anew at ${begun}`);
}

/**
 * Upgrades the system as docs/operations.md describes under "Upgrade": the tree changes, and `up` replaces the images built
 * from it.
 */
export async function upgraded(system: System, person: OperatorSession): Promise<void> {
  const imageOf = async (service: string): Promise<string> => {
    const [id = ''] = await system.containers(service);
    return system.docker('inspect', '--format', '{{.Image}}', id);
  };
  const [older, servers] = [await imageOf('relay'), await system.containers('nats')];
  await appendFile(join(system.tree, 'shared/observability/log.ts'), '\n// Another version.\n');
  // Beforehand, or the request would have ended when all is built.
  await system.compose(['build']);
  await underWay(person, 'third');
  await system.up();
  assert.notEqual(await imageOf('relay'), older);
  assert.deepEqual(await system.containers('nats'), servers);
  await assertWhole(person, 'third');
  await assertEndedAfter(system, 'tracker', person, 'third');
}

/**
 * Rotates the secrets as docs/operations.md describes under "Rotate secrets". @returns An operator session with the new
 * credentials.
 */
export async function rotated(
  system: System,
  person: OperatorSession,
  programs: Parameters<typeof createPerson>[1],
): Promise<OperatorSession> {
  const old = await system.access();
  await system.compose(['run', '--rm', 'secrets', '--rotate']);
  await underWay(person, 'fourth');
  await system.compose(['up', '--wait', '--force-recreate'], { show: true });
  await assertRefused(old, programs.nats);
  const renewed = createPerson(await system.access(), programs);
  await assertWhole(renewed, 'fourth');
  await assertEndedAfter(system, 'nats', renewed, 'fourth');
  await renewed.submit('fifth', findMedia('portrait-rotated.mp4'));
  assert.deepEqual((await renewed.outcome('fifth')).data.errors ?? [], []);
  return renewed;
}
