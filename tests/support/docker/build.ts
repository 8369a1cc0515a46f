import { root } from '../../../infra/process/paths.ts';
import { run, type RunOptions } from './run.ts';

export interface ImageBuild {
  /** Path of Compose. */
  readonly program: string;
  /** Compose labels the images with it; those without a name are told from others' by it. */
  readonly project: string;
  /** What leads to the daemon, and what compose.yaml reads. */
  readonly env: Readonly<Record<string, string>>;
  /** The tree to build from; this one unless told otherwise. */
  readonly tree?: string;
  /** Beside the names of targets, `--no-cache` say. */
  readonly args?: readonly string[];
}

/** Builds the images of compose.yaml, and removes the project's images that lost their names to newer ones. */
export async function buildImages({ program, project, env, tree = root, args = [] }: ImageBuild): Promise<void> {
  // Compose's own builder: the other one, bake, is a plugin that is not everywhere, and Compose warns of each build without it.
  // One image after another: Docker 20.10 was seen to die of two at once without a cache (`panic: failed to get edge`).
  const how: RunOptions = { cwd: tree, env: { ...env, COMPOSE_BAKE: 'false', COMPOSE_PARALLEL_LIMIT: '1' }, show: true };
  await run(program, ['--project-name', project, 'build', ...args], how);
  await removeDanglingImages(project, env);
}

/** Removes a project's images that have no name and no container. */
export async function removeDanglingImages(project: string, env: RunOptions['env'] = {}): Promise<void> {
  const filter = `label=com.docker.compose.project=${project}`;
  // Docker refuses a second prune at a time: what is left then goes with the next build.
  await run('docker', ['image', 'prune', '--force', '--filter', filter], { env }).catch(() => undefined);
}
