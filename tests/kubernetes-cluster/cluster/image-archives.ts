import { readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImages } from '../../support/docker/build.ts';
import { ensureCompose } from '../../support/docker/client.ts';
import { findDaemon } from '../../support/docker/daemon.ts';
import { run } from '../../support/docker/run.ts';
import { createLocalImages } from '../../support/docker/local-images.ts';
import { images } from '../../../infra/kubernetes/names.ts';
import { cacheDir, root } from '../../../infra/process/paths.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { PermanentError } from '../../../shared/core/errors.ts';

/** Tag of the images in `k8s/`. */
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/**
 * Builds the images of compose.yaml and saves each as an archive, or uses the archives in the directory `FAVE_KUBERNETES_IMAGES`.
 * @returns Paths of the archives. @throws PermanentError `no-images`.
 */
export async function buildImageArchives(progress: ProgressReporter): Promise<string[]> {
  const folder = process.env['FAVE_KUBERNETES_IMAGES'];
  if (folder) return (await readdir(folder)).filter((name) => name.endsWith('.tar')).map((name) => join(folder, name));
  const compose = await ensureCompose(progress);
  const daemon = await findDaemon(progress);
  if ('missing' in daemon) throw new PermanentError('no-images', `the images cannot be built: ${daemon.missing}`);
  try {
    const env = { ...daemon.env, ...(await createLocalImages(daemon.env, progress)), FAVE_VERSION: version };
    progress('building the images …');
    await buildImages({ program: compose, project: 'fave-kubernetes-test', env, args: ['--quiet'] });
    const dir = join(cacheDir, 'kubernetes', 'images');
    await mkdir(dir, { recursive: true });
    const archives = Object.values(images).map((name) => ({ name, path: join(dir, `${name}.tar`) }));
    for (const { name, path } of archives) await run('docker', ['save', '-o', path, `${name}:${version}`], { env });
    return archives.map(({ path }) => path);
  } finally {
    await daemon.stop();
  }
}
