import assert from 'node:assert/strict';
import { serviceNames } from '../../infra/deployment/services.ts';
import { graph } from '../../services/pipeline.ts';
import type { Report } from './report.ts';
import { assertComplete, rotateSecrets, upgradeImages } from './rolling-update.ts';
import { createOperatorSession, findMedia, type OperatorSession } from './requests.ts';
import { assertUnauthorisedRefused } from './unauthorised-access.ts';
import { whisperModels } from '../support/harness/whisper-models.ts';
import type { System } from './system.ts';

export interface Scenario {
  readonly system: System;
  readonly report: Report;
  readonly programs: { readonly mc: string; readonly nats: string };
  /** Registers a clean-up that runs at the end in any case. */
  readonly defer: (undo: () => Promise<void>) => void;
}

/** Runs the steps of an operator from the clone on, with failures in between. */
export async function scenario({ system, report, programs, defer }: Scenario): Promise<void> {
  await report.step('up --build --wait', () => system.up());
  report.log(await sizes(system));
  const access = await system.access();
  const operator = createOperatorSession(access, programs);
  defer(() => operator.leave());
  await report.step('rejects clients without credentials', () => assertUnauthorisedRefused(system, access, programs.nats));
  const engine = whisperModels === undefined ? 'pocketsphinx' : 'whisper';
  if (whisperModels === undefined)
    report.log('no Whisper models in FAVE_MODELS or ../shared/models/whisper: pocketsphinx transcribes');
  await report.step(`analyses a video, transcribed by ${engine}`, () => analysed(operator, engine));
  await report.step('changes nothing when set-up runs again', () => setUpAgain(system));
  await report.step('scales stage-ffmpeg-3 to four containers', () => scaled(system));
  await report.step('recovers from killed containers', () => killed(system, operator));
  report.log(await peaks(system));
  await report.step('upgrades to another version during a request', () => upgradeImages(system, operator));
  const reconnected = await report.step('rotates all passwords during a request', () =>
    rotateSecrets(system, operator, programs),
  );
  defer(() => reconnected.leave());
}

async function analysed(operator: OperatorSession, engine: string): Promise<void> {
  const completed = await operator.subscribe('fave.requests.first.completed');
  await operator.submit('first', findMedia('portrait-rotated.mp4'));
  await completed.message;
  const keys = await operator.artifacts('first');
  // Items without a request for their outputs are settled as well.
  for (const { name } of graph.stages)
    assert(
      keys.some((key) => key.startsWith(`metadata/items/${name}/`)),
      `no receipt of ${name}`,
    );
  const read = async (pattern: RegExp): Promise<string> =>
    (await Promise.all(keys.filter((key) => pattern.test(key)).map((key) => operator.read('first', key)))).join('\n');
  const transcripts = await read(/transcript\.json$/);
  assert.match(transcripts, new RegExp(`"engine":"${engine}"`));
  // pocketsphinx recognises some of the words.
  assert.match(transcripts, engine === 'whisper' ? /"text":"[^"]*my fellow Americans/ : /"text":"[^"]*fellow/);
  assert.match(await read(/detections\.json$/), /"person"/);
}

async function setUpAgain(system: System): Promise<void> {
  const output = await system.compose(['run', '--rm', 'set-up'], { all: true });
  assert.match(output, /the store announces uploads/);
  assert.doesNotMatch(output, /changes/);
}

async function scaled(system: System): Promise<void> {
  await system.compose(['up', '--wait', '--no-build', '--no-recreate', '--scale', 'stage-ffmpeg-3=4']);
  assert.equal((await system.containers('stage-ffmpeg-3')).length, 4);
}

/** Kills the processes in each container of a stage when the first clip is announced. Docker restarts them. */
async function killed(system: System, operator: OperatorSession): Promise<void> {
  const containers = await system.containers('stage-ffmpeg-3');
  const clip = await operator.subscribe('fave.landed.clip.*.second');
  const completed = await operator.subscribe('fave.requests.second.completed');
  await operator.submit('second', findMedia('long-5min.mp4'));
  await clip.message;
  await Promise.all(containers.map((id) => system.docker('exec', id, 'bash', '-c', 'kill -9 -1').catch(() => undefined)));
  await completed.message;
  const restarts = await Promise.all(containers.map((id) => system.docker('inspect', '--format', '{{.RestartCount}}', id)));
  assert.deepEqual(
    restarts.map((text) => Number(text) > 0),
    containers.map(() => true),
  );
  await assertComplete(operator, 'second');
}

async function sizes(system: System): Promise<string> {
  const lines = await system.docker(
    'images',
    '--filter',
    `reference=fave-*:${system.version}`,
    '--format',
    '   {{.Repository}} {{.Size}}',
  );
  return lines.trimEnd();
}

/** Returns the peak memory of each service and its limit. */
async function peaks(system: System): Promise<string> {
  const read = 'cd /sys/fs/cgroup && cat memory/memory.max_usage_in_bytes 2>/dev/null || cat memory.peak';
  const lines = serviceNames(graph).map(async (name) => {
    const [id = ''] = await system.containers(name);
    const bytes = Number(await system.docker('exec', id, 'sh', '-c', read));
    const limit = Number(await system.docker('inspect', '--format', '{{.HostConfig.Memory}}', id));
    return `   ${name}: at most ${Math.round(bytes / 2 ** 20)} MB of ${limit / 2 ** 20} MB`;
  });
  return (await Promise.all(lines)).join('\n');
}
