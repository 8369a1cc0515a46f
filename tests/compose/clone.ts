import { mkdir } from 'node:fs/promises';
import { run } from '../support/docker/run.ts';
import { root } from '../../infra/process/paths.ts';

/**
 * Copies what git holds of this tree or would, as if it were cloned. @param target Folder that is not there yet.
 * @param how Shell commands beforehand: `umask`, or `touch=--touch` for files of now.
 */
export async function cloneTree(target: string, how = 'umask 022'): Promise<void> {
  await mkdir(target);
  const files = 'git ls-files -z --cached --others --exclude-standard';
  const present = `${files} | while IFS= read -r -d "" file; do [ ! -e "$file" ] || printf "%s\\0" "$file"; done`;
  const script = `${how}; ${present} | tar --null -T - -c | tar -x $touch --no-same-permissions -C "$0"`;
  await run('bash', ['-o', 'pipefail', '-c', script, target], { cwd: root });
}
