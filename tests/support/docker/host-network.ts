import { run, succeeds } from './run.ts';

const BRIDGE = 'docker0';
const TABLES = ['filter', 'nat'] as const;

/**
 * Remembers how the machine forwards packets. What a daemon changes there outlives it: a bridge, its rules, and a policy that drops
 * whatever others forward. @returns What undoes it, without touching rules that somebody else made meanwhile.
 */
export async function snapshotNetwork(): Promise<() => Promise<void>> {
  const policy = /^-P FORWARD (\w+)/m.exec(await rules('filter'))?.[1];
  const hadBridge = await succeeds('ip', ['link', 'show', BRIDGE]);
  // Another daemon's, which still needs them.
  if (hadBridge || policy === undefined) return () => Promise.resolve();
  return async () => {
    for (const table of TABLES) await removeRules(table);
    await run('iptables', ['-P', 'FORWARD', policy]);
    if (await succeeds('ip', ['link', 'show', BRIDGE])) await run('ip', ['link', 'delete', BRIDGE]);
  };
}

/** A table's rules as iptables would be given them; none where there is no iptables. */
function rules(table: string): Promise<string> {
  return run('iptables', ['-t', table, '-S']).catch(() => '');
}

/** Removes Docker's chains, and every rule that leads into them or names its bridge or networks. */
async function removeRules(table: string): Promise<void> {
  const lines = (await rules(table)).split('\n');
  const chains = lines.flatMap((line) => /^-N (DOCKER\S*)/.exec(line)?.[1] ?? []);
  const theirs = lines.filter((line) => /^-A (?!DOCKER)/.test(line) && /DOCKER|docker0|172\.17\.0\.0/.test(line));
  for (const rule of theirs) await run('iptables', ['-t', table, '-D', ...rule.split(' ').slice(1)]);
  for (const chain of chains) await run('iptables', ['-t', table, '-F', chain]);
  for (const chain of chains) await run('iptables', ['-t', table, '-X', chain]);
}
