import { cpus } from 'node:os';
import { join } from 'node:path';
import { concurrency, niceness } from '../deployment/services.ts';
import { root } from '../process/paths.ts';
import type { ProcessSpec } from '../process/process.ts';

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
