import assert from 'node:assert/strict';
import type { System } from './system.ts';

interface Inspected {
  readonly RestartCount: number;
  readonly State: { readonly OOMKilled: boolean };
  readonly HostConfig: { readonly Memory: number; readonly PidsLimit: number };
}

/** Services that run as root: see compose.yaml. */
const ROOTLY = ['alloy'];

/**
 * Checks that a running container has the restrictions of compose.yaml: no root, no capabilities, a read-only image and a
 * memory limit that it has not exceeded. @returns A line with its memory use.
 */
export async function confinementOf(system: System, service: string): Promise<string> {
  const [id = ''] = await system.containers(service);
  const [container] = JSON.parse(await system.docker('inspect', id)) as [Inspected];
  assert.equal(container.RestartCount, 0, `${service} was started again`);
  assert.equal(container.State.OOMKilled, false);
  assert(container.HostConfig.Memory > 0 && container.HostConfig.PidsLimit > 0, `${service} has no limits`);
  const script = 'grep -E "^(Uid|CapEff|NoNewPrivs):" /proc/1/status; touch /written 2>&1 || true';
  const output = (await system.docker('exec', id, 'sh', '-c', script)).replaceAll('\t', ' ');
  assert.match(output, /^CapEff: 0+$/m, service);
  assert.match(output, /^NoNewPrivs: 1$/m, service);
  assert.match(output, /Read-only file system/, service);
  if (!ROOTLY.includes(service)) assert.doesNotMatch(output, /^Uid: 0/m, service);
  return (await system.docker('stats', '--no-stream', '--format', `${service}: {{.MemUsage}}, {{.PIDs}} threads`, id)).trim();
}
