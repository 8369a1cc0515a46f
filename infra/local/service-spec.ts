import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { root } from '../process/paths.ts';
import type { ProcessSpec } from '../process/process.ts';

/**
 * Items that a process of a stage works on at once, where it is not 1. `cores`: its tool runs on one thread, so that as many
 * run side by side as there are cores; ffmpeg's encoders use all cores by themselves.
 */
const concurrency: Readonly<Record<string, number | 'cores'>> = {
  'stage-deepspeech': 'cores',
};

/**
 * How much a stage gives way to others on a machine that all share (`nice`), where it is not 0. The ends of the pipeline wait for
 * nobody: what feeds them goes first, so that at the end there is work for every core and not one last clip for one of them.
 */
const niceness: Readonly<Record<string, number>> = {
  'stage-deepspeech': 5,
  'stage-object-detector': 5,
};

/** Services that run no tools and no model: a small image does. A stage that is not named here gets the one with the tools. */
export const servicesWithoutTools: readonly string[] = ['relay', 'tracker', 'stage-librosa', 'stage-grep'];

/** Memory of a service that no regime sizes, MB: the relay and the tracker hold no media. */
export const SMALL = 256;

/** Every service of a graph by name: relay and tracker first, so that nothing lands unannounced. */
export function serviceNames(graph: Graph): string[] {
  return ['relay', 'tracker', ...graph.stages.map(({ name }) => name)];
}

/** Variables of the launcher's own environment that services need: programs, home and locale; never its credentials. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'FAVE_TEST_MEDIA'];

export interface ServiceOptions {
  readonly dataDir: string;
  /** Where the store and the bus are, with the role's credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** The launcher's own environment: `FAVE_…` settings are passed on, and OpenTelemetry's `OTEL_…`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Which of several processes of the service it is: each has a log of its own. */
  readonly number?: number;
}

/** How a service's process is started. */
export function serviceSpec(name: string, { dataDir, environment, env, number }: ServiceOptions): ProcessSpec {
  const slots = concurrency[name] ?? 1;
  const passed = Object.entries(env).filter(([key]) => /^(FAVE|OTEL)_/.test(key) || INHERITED.includes(key));
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'dist', 'service.mjs'), name],
    env: {
      FAVE_CONCURRENCY: String(slots === 'cores' ? cpus().length : slots),
      FAVE_NICE: String(niceness[name] ?? 0),
      // Below the instance, so that what a killed process left is found and removed at the next start.
      FAVE_TMPDIR: join(dataDir, 'tmp'),
      ...(Object.fromEntries(passed) as Record<string, string>),
      ...environment,
    },
    cwd: root,
    log: join(dataDir, 'logs', `${number === undefined ? name : `${name}-${number}`}.log`),
  };
}
