import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../../infra/process/paths.ts';

/** Creates an interactive shell: each call sees the variables that earlier calls set. */
export function createShell(home: string, env: Readonly<Record<string, string>>): (block: string) => Promise<string> {
  const variables = join(home, 'variables');
  return async (block) => {
    const script = `set -euo pipefail -a\n[ ! -e '${variables}' ] || . '${variables}'\n${block}\nexport -p > '${variables}'\n`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: root, env: { ...env, HOME: home } });
    return stdout + stderr;
  };
}
