import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from '../../../infra/process/identity.ts';
import { healthy } from '../../../infra/servers/nats.ts';
import { kill, startProcess } from '../../../infra/process/process.ts';

/** A server that may be stopped and started again as it was: the kernel knows its command and environment (Linux, proc(5)). */
export interface Server {
  readonly name: string;
  pid(): number;
  /** Ends it and waits until it is gone. SIGKILL: as when its machine's power is cut, but for the kernel's buffers. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it with its data and waits until it answers. */
  start(): Promise<void>;
  /** Stops its clock: connections stay open and nobody answers. */
  suspend(): void;
  resume(): void;
}

const words = (pid: number, file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').filter(Boolean);

/** @param pid Of the running server. @param dataDir Of its instance. */
export function createServerControl(name: 'minio' | 'nats-server', pid: number, dataDir: string): Server {
  const [command = '', ...args] = words(pid, 'cmdline');
  const env = Object.fromEntries(
    words(pid, 'environ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const spec = { name, command, args, env, cwd: dataDir, log: join(dataDir, 'logs', `${name}.log`) };
  const health =
    name === 'minio'
      ? `http://${after('--address', args)}/minio/health/cluster`
      : `http://${monitorOf(dataDir)}/healthz?js-enabled-only=true`;
  let current = identityOf(pid);

  return {
    name,
    pid: () => current.pid,
    stop: async (signal = 'SIGTERM') => {
      kill(current.pid, 'SIGCONT');
      kill(current.pid, signal);
      while (isRunning(current)) await sleep(20);
    },
    start: async () => {
      if (isRunning(current)) return;
      current = identityOf((await healthy(await startProcess(spec), health)).pid);
    },
    suspend: () => {
      kill(current.pid, 'SIGSTOP');
    },
    resume: () => {
      kill(current.pid, 'SIGCONT');
    },
  };
}

function after(option: string, args: readonly string[]): string {
  return args[args.indexOf(option) + 1] ?? '';
}

function monitorOf(dataDir: string): string {
  return (JSON.parse(readFileSync(join(dataDir, 'nats.conf'), 'utf8')) as { http: string }).http;
}
