/**
 * `npm run test:images`: builds every image twice without a cache, from two clones at different paths, and compares them layer
 * by layer. The files of the second clone are newer and readable only by their owner.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImages } from '../support/docker/build.ts';
import { run } from '../support/docker/run.ts';
import { images } from '../../infra/kubernetes/names.ts';
import { cloneTree } from './clone.ts';
import { differences, layersOf } from './layers.ts';
import { withDaemon } from './with-daemon.ts';

/** Clones by image tag, with the commands that set the modes and times of their files. */
const CLONES = { 'reproducible-1': 'umask 022', 'reproducible-2': 'umask 077; touch=--touch' };

await withDaemon('test:images', async ({ report, compose, env, defer }) => {
  const scratch = await mkdtemp(join(tmpdir(), 'fave-images-'));
  defer(() => rm(scratch, { recursive: true, force: true }));
  // Both clones are made before the first build, because the tree may change during the builds.
  for (const [tag, how] of Object.entries(CLONES)) await cloneTree(join(scratch, tag), how);
  for (const tag of Object.keys(CLONES)) {
    defer(() => removeImages(tag, env));
    const build = { program: compose, project: `fave-${tag}`, env: { ...env, FAVE_VERSION: tag }, tree: join(scratch, tag) };
    await report.step(`builds every image without a cache (${tag}; minutes)`, () =>
      buildImages({ ...build, args: ['--no-cache'] }),
    );
  }
  for (const image of Object.values(images)) {
    const [first = '', second = ''] = Object.keys(CLONES).map((tag) => `${image}:${tag}`);
    const found = await differences(first, second, scratch, env);
    const layers = await layersOf(first, env);
    report.log(
      found.length === 0 ? `ok ${image}: ${layers.length} layers, equal` : `${image} is not equal:\n${found.join('\n')}`,
    );
    if (found.length > 0) process.exitCode = 1;
  }
});

async function removeImages(tag: string, env: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.values(images).map((image) => `${image}:${tag}`);
  // After a failed build some images are missing.
  await run('docker', ['image', 'rm', ...names], { env }).catch(() => undefined);
}
