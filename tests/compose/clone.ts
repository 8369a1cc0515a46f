import { mkdir } from 'node:fs/promises';
import { run } from '../support/docker/run.ts';
import { root } from '../../infra/process/paths.ts';

/**
 * Copies the tracked and the unignored files of this tree, as a clone would contain them. @param target Path of a new
 * directory.
 * @param how Shell commands to run first: `umask`, or `touch=--touch` for files with the current time.
 */
export async function cloneTree(target: string, how = 'umask 022'): Promise<void> {
  await mkdir(target);
  const files = 'git ls-files -z --cached --others --exclude-standard';
  const present = `${files} | while IFS= read -r -d "" file; do [ ! -e "$file" ] || printf "%s\\0" "$file"; done`;
  const script = `${how}; ${present} | tar --null -T - -c | tar -x $touch --no-same-permissions -C "$0"`;
  await run('bash', ['-o', 'pipefail', '-c', script, target], { cwd: root });
}
