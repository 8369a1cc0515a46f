import { root } from '../../../infra/process/paths.ts';
import { run, type RunOptions } from './run.ts';

export interface ImageBuild {
  /** Path of Compose. */
  readonly program: string;
  /** Compose project. Images without a name are identified by its label. */
  readonly project: string;
  /** Address of the daemon and the variables of compose.yaml. */
  readonly env: Readonly<Record<string, string>>;
  /** Directory to build from. Default: this tree. */
  readonly tree?: string;
  /** Further arguments, for example `--no-cache`. */
  readonly args?: readonly string[];
}

/** Builds the images of compose.yaml, and removes images of the project whose name moved to a newer one. */
export async function buildImages({ program, project, env, tree = root, args = [] }: ImageBuild): Promise<void> {
  // The builder of Compose itself: bake is a plugin that may be missing, and Compose would warn in each build. Images are built
  // one after another: Docker 20.10 crashes in concurrent builds without a cache (`panic: failed to get edge`).
  const how: RunOptions = { cwd: tree, env: { ...env, COMPOSE_BAKE: 'false', COMPOSE_PARALLEL_LIMIT: '1' }, show: true };
  await run(program, ['--project-name', project, 'build', ...args], how);
  await removeDanglingImages(project, env);
}

/** Removes the images of a project without a name and a container. */
export async function removeDanglingImages(project: string, env: RunOptions['env'] = {}): Promise<void> {
  const filter = `label=com.docker.compose.project=${project}`;
  // Docker rejects concurrent prunes. Remaining images are removed after the next build.
  await run('docker', ['image', 'prune', '--force', '--filter', filter], { env }).catch(() => undefined);
}
