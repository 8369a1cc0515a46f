import { run, succeeds } from './run.ts';

const BRIDGE = 'docker0';
const TABLES = ['filter', 'nat'] as const;

/**
 * Saves the packet forwarding of the machine. A daemon leaves a bridge, its rules and a policy that drops forwarded packets.
 * @returns Function that restores the state and keeps rules of other programs.
 */
export async function snapshotNetwork(): Promise<() => Promise<void>> {
  const policy = /^-P FORWARD (\w+)/m.exec(await rules('filter'))?.[1];
  const hadBridge = await succeeds('ip', ['link', 'show', BRIDGE]);
  // Another daemon still needs them.
  if (hadBridge || policy === undefined) return () => Promise.resolve();
  return async () => {
    for (const table of TABLES) await removeRules(table);
    await run('iptables', ['-P', 'FORWARD', policy]);
    if (await succeeds('ip', ['link', 'show', BRIDGE])) await run('ip', ['link', 'delete', BRIDGE]);
  };
}

/** Returns the rules of a table as arguments of iptables; none without iptables. */
function rules(table: string): Promise<string> {
  return run('iptables', ['-t', table, '-S']).catch(() => '');
}

/** Removes the chains of Docker, and the rules that lead to them or name its bridge or networks. */
async function removeRules(table: string): Promise<void> {
  const lines = (await rules(table)).split('\n');
  const chains = lines.flatMap((line) => /^-N (DOCKER\S*)/.exec(line)?.[1] ?? []);
  const theirs = lines.filter((line) => /^-A (?!DOCKER)/.test(line) && /DOCKER|docker0|172\.17\.0\.0/.test(line));
  for (const rule of theirs) await run('iptables', ['-t', table, '-D', ...rule.split(' ').slice(1)]);
  for (const chain of chains) await run('iptables', ['-t', table, '-F', chain]);
  for (const chain of chains) await run('iptables', ['-t', table, '-X', chain]);
}
