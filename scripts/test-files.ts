import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Starts servers for every test file that imports it, directly or not. */
const SERVERS = 'tests/support/built-servers.ts';

/**
 * Returns the test files that need MinIO and NATS, or those that do not.
 * Paths are relative to the working directory, which must be the project's root.
 */
export function testFiles({ servers }: { servers: boolean }): string[] {
  const known = new Map([[SERVERS, true]]);
  const needsServers = (file: string): boolean => {
    if (!known.has(file)) {
      known.set(file, false); // ends import cycles
      known.set(file, importsOf(file).some(needsServers));
    }
    return known.get(file) ?? false;
  };
  const files = readdirSync('tests', { recursive: true, encoding: 'utf8' }).map((file) => join('tests', file));
  return files.filter((file) => file.endsWith('.test.ts') && needsServers(file) === servers);
}

/** Returns the test modules that a test module imports; no other module imports {@link SERVERS}. */
function importsOf(file: string): string[] {
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|\} from) .*?'(\.[^']+\.ts)';$/gm);
  return [...imports].map(([, path = '']) => join(dirname(file), path)).filter((path) => path.startsWith('tests/'));
}
