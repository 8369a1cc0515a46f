import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOperatorSession, findMedia, type OperatorSession } from './requests.ts';
import { assertRefused } from './unauthorised-access.ts';
import type { System } from './system.ts';

/** Submits a video of several clips. Returns when the first of them waits for the next stage, long before the end. */
async function submitUntilFirstClip(operator: OperatorSession, id: string): Promise<void> {
  const clip = await operator.subscribe(`fave.landed.clip.*.${id}`);
  await operator.submit(id, findMedia('long-5min.mp4'));
  await clip.message;
}

/** Checks that a request of a video with several clips has completed with the outputs of each clip. */
export async function assertComplete(operator: OperatorSession, id: string): Promise<void> {
  const { errors = [] } = (await operator.outcome(id)).data;
  assert.deepEqual(errors, []);
  const keys = await operator.artifacts(id);
  const count = (pattern: RegExp): number => keys.filter((key) => pattern.test(key)).length;
  const clips = count(/^stage-ffmpeg-1\/.*clip\.\w+$/);
  assert(clips > 1);
  assert.equal(count(/^stage-ffmpeg-3\/.*video\.mp4$/), clips);
}

/** Checks that a request ended after the new container of a service started, so the replacement happened during the request. */
async function assertEndedAfter(system: System, service: string, operator: OperatorSession, id: string): Promise<void> {
  const [container = ''] = await system.containers(service);
  const begun = (await system.docker('inspect', '--format', '{{.State.StartedAt}}', container)).trim();
  const { time } = await operator.outcome(id);
  assert(Date.parse(time) > Date.parse(begun), `${id} had ended at ${time}, before ${service} restarted at ${begun}`);
}

/**
 * Upgrades the system as docs/operations.md describes under "Upgrade": the tree changes, and `up` replaces the images built
 * from it.
 */
export async function upgradeImages(system: System, operator: OperatorSession): Promise<void> {
  const imageOf = async (service: string): Promise<string> => {
    const [id = ''] = await system.containers(service);
    return system.docker('inspect', '--format', '{{.Image}}', id);
  };
  const [older, servers] = [await imageOf('relay'), await system.containers('nats')];
  // Code, because a bundle contains no comments.
  const change = "\nprocess.title = 'another version';\n";
  await appendFile(join(system.tree, 'shared/observability/log.ts'), change);
  // Built beforehand, because the request would end during the build.
  await system.compose(['build']);
  await submitUntilFirstClip(operator, 'third');
  await system.up();
  assert.notEqual(await imageOf('relay'), older);
  assert.deepEqual(await system.containers('nats'), servers);
  await assertComplete(operator, 'third');
  await assertEndedAfter(system, 'tracker', operator, 'third');
}

/**
 * Rotates the secrets as docs/operations.md describes under "Rotate secrets". @returns An operator session with the new
 * credentials.
 */
export async function rotateSecrets(
  system: System,
  operator: OperatorSession,
  programs: Parameters<typeof createOperatorSession>[1],
): Promise<OperatorSession> {
  const old = await system.access();
  await system.compose(['run', '--rm', 'secrets', '--rotate']);
  await submitUntilFirstClip(operator, 'fourth');
  await system.compose(['up', '--wait', '--force-recreate'], { show: true });
  await assertRefused(old, programs.nats);
  const reconnected = createOperatorSession(await system.access(), programs);
  await assertComplete(reconnected, 'fourth');
  await assertEndedAfter(system, 'nats', reconnected, 'fourth');
  await reconnected.submit('fifth', findMedia('portrait-rotated.mp4'));
  assert.deepEqual((await reconnected.outcome('fifth')).data.errors ?? [], []);
  return reconnected;
}
