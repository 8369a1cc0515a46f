/**
 * `npm run test:images`: builds every image twice without a cache, and compares them layer by layer. The second time from a copy of the
 * tree at another path, whose files are younger and for nobody but their owner to read.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImages } from '../../infra/compose/build.ts';
import { run } from '../../infra/compose/run.ts';
import { images } from '../../infra/kubernetes/names.ts';
import { root } from '../../infra/paths.ts';
import { differences, layersOf } from './layers.ts';
import { withDaemon } from './with-daemon.ts';

const VERSIONS = ['reproducible-1', 'reproducible-2'] as const;

await withDaemon('test:images', async ({ report, compose, env, defer }) => {
  const scratch = await mkdtemp(join(tmpdir(), 'fave-images-'));
  defer(() => rm(scratch, { recursive: true, force: true }));
  const copy = join(scratch, 'copy');
  await copyTree(copy);
  for (const [index, tree] of [root, copy].entries()) {
    const version = VERSIONS[index] ?? '';
    defer(() => removeImages(version, env));
    const build = {
      program: compose,
      project: `fave-${version}`,
      env: { ...env, FAVE_VERSION: version },
      tree,
      args: ['--no-cache', '--quiet'],
    };
    await report.step(`every image built without a cache (${version}; minutes)`, () => buildImages(build));
  }
  for (const image of Object.values(images)) {
    const names = VERSIONS.map((version) => `${image}:${version}`);
    const found = await differences(names[0] ?? '', names[1] ?? '', scratch, env);
    const { length } = await layersOf(names[0] ?? '', env);
    report.say(found.length === 0 ? `ok ${image}: ${length} layers, equal` : `not equal: ${image}\n${found.join('\n')}`);
    if (found.length > 0) process.exitCode = 1;
  }
});

/** What git would hold of the tree, as somebody's clone who lets nobody read his files. */
async function copyTree(target: string): Promise<void> {
  await mkdir(target);
  const files =
    'git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d "" f; do [ -e "$f" ] && printf "%s\\0" "$f"; done';
  const script = `(${files}) | tar --null --files-from=- -c | (umask 077 && tar -x --touch --no-same-permissions -C "$0")`;
  await run('bash', ['-o', 'pipefail', '-c', script, target], { cwd: root });
}

async function removeImages(version: string, env: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.values(images).map((image) => `${image}:${version}`);
  // After a build that failed some are not there.
  await run('docker', ['image', 'rm', ...names], { env }).catch(() => undefined);
}
