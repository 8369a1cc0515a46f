import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeDanglingImages } from '../support/docker/build.ts';
import { run, type RunOptions } from '../support/docker/run.ts';
import { freePorts } from '../../infra/deployment/ports.ts';
import { cloneTree } from './clone.ts';

/** A system of containers of the test's own, in a clone of the tree, beside whatever else runs. */
export interface System {
  /** The clone. */
  readonly tree: string;
  /** Tag of its images. */
  readonly version: string;
  /** `up --build --wait`: builds the images, and returns when every service is ready. @param services All, unless told otherwise. */
  up(services?: readonly string[]): Promise<void>;
  /** Runs Compose. @returns What it said. */
  compose(args: readonly string[], how?: Pick<RunOptions, 'show' | 'all'>): Promise<string>;
  docker(...args: string[]): Promise<string>;
  /** Numbers of a service's containers that run. */
  containers(service: string): Promise<string[]>;
  /** What `secrets/env` gives to a person's shell. */
  access(): Promise<Record<string, string>>;
  /** Removes containers, volumes and networks. @throws Error when something is left. */
  down(): Promise<void>;
}

/** Two of the tests at a time, of two people say, want two names. */
const PROJECT = process.env['COMPOSE_PROJECT_NAME'] ?? 'fave-test';

/** @param env What leads to the daemon and names the images to build from. */
export async function createSystem(program: string, env: Readonly<Record<string, string>>): Promise<System> {
  const scratch = await mkdtemp(join(tmpdir(), 'fave-compose-'));
  const tree = join(scratch, 'clone');
  await cloneTree(tree);
  const version = process.env['FAVE_VERSION'] ?? 'test';
  const ports = await freePorts();
  const variables = {
    ...env,
    FAVE_VERSION: version,
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
      // A shell reads it, as a person's does.
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
