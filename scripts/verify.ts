import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PermanentError } from '../shared/core/errors.ts';
import { graph } from '../services/pipeline.ts';
import { root } from '../infra/process/paths.ts';
import { notificationRules } from '../infra/setup/notification-rules.ts';

/** Checks of a change besides the tests. */
const checks: Readonly<Record<string, readonly string[]>> = {
  format: ['prettier', '--check', '--log-level', 'warn', '.'],
  types: ['tsc'],
  'generated files': ['node', 'schemas/generate.ts', '--check'],
  'generated docs': ['node', 'cli/generate-docs.ts', '--check'],
  lint: ['eslint', '.', '--max-warnings', '0'],
  structure: ['node', 'scripts/checks/structure.ts'],
  'docstrings and test titles': ['eslint', '.', '--config', 'scripts/checks/eslint.config.js', '--max-warnings', '0'],
  prose: ['node', 'scripts/checks/prose.ts'],
  'commit subjects': ['node', 'scripts/checks/commits.ts'],
};

/**
 * Runs every check, also after a failure, and reports the failed ones. An invalid graph fails earlier, when it is imported.
 * @throws PermanentError `verify-failed`.
 */
async function verify(): Promise<void> {
  const failed: string[] = [];
  for (const [name, command] of Object.entries(checks)) {
    const begun = Date.now();
    const ok = await run(command);
    process.stderr.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)\n`);
    if (!ok) failed.push(name);
  }
  process.stderr.write(
    `ok   graph: ${graph.stages.length} stages, ${graph.kinds.length} kinds, ${notificationRules(graph).length} notification rules\n`,
  );
  if (failed.length > 0) throw new PermanentError('verify-failed', `verify failed: ${failed.join(', ')}`);
}

async function run([command = '', ...args]: readonly string[]): Promise<boolean> {
  const program = command === 'node' ? process.execPath : join(root, 'node_modules/.bin', command);
  const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
  return (await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject))) === 0;
}

try {
  await verify();
} catch (error) {
  console.error(error instanceof PermanentError ? error.message : error);
  process.exitCode = 1;
}
