import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../access/environment.ts';
import { concurrencyOf, niceness } from '../deployment/services.ts';
import { compileCacheDir, root } from '../process/paths.ts';
import type { ServiceProcessSpec } from '../process/supervisor.ts';

/** Variables besides FAVE_… and OTEL_… that services inherit from the launcher. Its credentials are not among them. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH'];

export interface ServiceOptions {
  readonly dataDir: string;
  /** Returns the variables with which a service connects to the store and the bus as its own role. */
  environmentOf(service: string): Readonly<Record<string, string>>;
  /** Environment of the launcher. */
  readonly env: Environment;
  /** Number of a replica; each has its own log. */
  readonly number?: number;
}

/** Returns how a process that runs one or more services is started. */
export function serviceSpec(
  services: readonly [string, ...string[]],
  { dataDir, environmentOf, env, number }: ServiceOptions,
): ServiceProcessSpec {
  const [first, ...others] = services;
  const name = others.length === 0 ? first : 'services';
  const inherited = inheritedVariables(env);
  const variablesOf = (service: string): Record<string, string> => {
    return {
      FAVE_CONCURRENCY: String(concurrencyOf(service, cpus().length)),
      FAVE_NICE: String(niceness[service] ?? 0),
      // Inside the data directory, so that the next start removes what a killed process left.
      FAVE_TMPDIR: join(dataDir, 'tmp'),
      ...inherited,
      ...environmentOf(service),
    };
  };
  return {
    name,
    services,
    command: process.execPath,
    args: [join(root, 'dist', 'service.mjs'), ...services],
    env: {
      NODE_COMPILE_CACHE: compileCacheDir,
      ...(others.length === 0
        ? variablesOf(first)
        : {
            ...inherited,
            FAVE_SERVICE_ENVIRONMENTS: JSON.stringify(
              Object.fromEntries(services.map((service) => [service, variablesOf(service)])),
            ),
          }),
    },
    cwd: root,
    log: join(dataDir, 'logs', `${number === undefined ? name : `${name}-${number}`}.log`),
  };
}

function inheritedVariables(env: Environment): Record<string, string> {
  const isInherited = (name: string): boolean =>
    (/^(FAVE|OTEL)_/.test(name) && !name.startsWith('FAVE_TEST_')) || INHERITED.includes(name);
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && isInherited(name) ? [[name, value]] : [])),
  );
}
