import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from '../../../infra/process/identity.ts';
import { healthy } from '../../../infra/servers/nats.ts';
import { kill, startProcess } from '../../../infra/process/process.ts';

/** A server that can be stopped and restarted with the same command and environment, which are read from proc(5). */
export interface Server {
  readonly name: string;
  pid(): number;
  /** Stops the server and waits for its exit. Unlike a power failure, SIGKILL preserves kernel buffers. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts the server with its data and waits until it is healthy. */
  start(): Promise<void>;
  /** Suspends the server: connections stay open without responses. */
  suspend(): void;
  resume(): void;
}

const words = (pid: number, file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').filter(Boolean);

/** Creates the control of a running server. @param pid Process id. @param dataDir Data directory of the instance. */
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
