import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeDanglingImages } from '../support/docker/build.ts';
import { run, type RunOptions } from '../support/docker/run.ts';
import { freePorts } from '../../infra/deployment/ports.ts';
import { whisperModels } from '../support/harness/whisper-models.ts';
import { cloneTree } from './clone.ts';

/** A system of containers for the test, built from a clone of the tree. */
export interface System {
  /** Path of the clone. */
  readonly tree: string;
  /** Tag of its images. */
  readonly version: string;
  /** Runs `up --build --wait`, which returns when every service is ready. @param services Default: all. */
  up(services?: readonly string[]): Promise<void>;
  /** Runs Compose. @returns Its output. */
  compose(args: readonly string[], how?: Pick<RunOptions, 'show' | 'all'>): Promise<string>;
  docker(...args: string[]): Promise<string>;
  /** Returns the ids of the running containers of a service. */
  containers(service: string): Promise<string[]>;
  /** Returns the variables of `secrets/env`. */
  access(): Promise<Record<string, string>>;
  /** Removes containers, volumes and networks. @throws Error if any remain. */
  down(): Promise<void>;
}

/** Compose project. Concurrent runs need different names. */
const PROJECT = process.env['COMPOSE_PROJECT_NAME'] ?? 'fave-test';

/** Creates a system. @param env Address of the daemon and names of the base images. */
export async function createSystem(program: string, env: Readonly<Record<string, string>>): Promise<System> {
  const scratch = await mkdtemp(join(tmpdir(), 'fave-compose-'));
  const tree = join(scratch, 'clone');
  await cloneTree(tree);
  const version = process.env['FAVE_VERSION'] ?? 'test';
  const ports = await freePorts();
  const variables = {
    ...env,
    FAVE_VERSION: version,
    // The test downloads no model.
    ...(whisperModels === undefined ? { FAVE_WHISPER_MODEL: 'none' } : { FAVE_MODELS_DIR: whisperModels }),
    FAVE_STORE_PORT: String(ports.minio),
    FAVE_CONSOLE_PORT: String(ports.console),
    FAVE_NATS_PORT: String(ports.nats),
  };
  const compose: System['compose'] = (args, how = {}) =>
    run(program, ['--project-name', PROJECT, ...args], { cwd: tree, env: variables, ...how });
  const docker: System['docker'] = (...args) => run('docker', args, { env: variables });
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  return {
    tree,
    version,
    up: async (services = []) => {
      await compose(['up', '--build', '--wait', ...services], { show: true });
      await removeDanglingImages(PROJECT, variables);
    },
    compose,
    docker,
    containers: async (service) => lines(await compose(['ps', '--quiet', service])),
    access: async () => {
      // The file is read by a shell, as an operator would do.
      const printed = await run('sh', ['-c', `. "$0" && env`, join(tree, 'secrets/env')], { env: variables });
      const names = [...(await readFile(join(tree, 'secrets/env'), 'utf8')).matchAll(/^export (\w+)=/gm)].map(([, name]) => name);
      const pairs = lines(printed).map((line): [string, string] => [
        line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1),
      ]);
      return Object.fromEntries(pairs.filter(([name]) => names.includes(name)));
    },
    down: async () => {
      await compose(['--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '30']).finally(() =>
        rm(scratch, { recursive: true, force: true }),
      );
      const label = ['--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`];
      const left = await Promise.all([
        docker('ps', '--all', ...label),
        docker('volume', 'ls', ...label),
        docker('network', 'ls', ...label),
      ]);
      if (left.some((text) => text.trim() !== '')) throw new Error(`containers, volumes or networks are left: ${left.join(' ')}`);
    },
  };
}
