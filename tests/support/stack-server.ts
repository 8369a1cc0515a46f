import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { launch, type RunningInstance } from '../../infra/local/launcher.ts';
import { toEnvironment } from '../../infra/access/environment.ts';
import { freePorts } from '../../infra/deployment/ports.ts';
import type { SupervisedProcess } from '../../infra/process/supervisor.ts';
import { graph } from '../../services/pipeline.ts';
import { runCleanups } from '../../infra/process/clean-ups.ts';

/** Calls of tests, as JSON over HTTP. */
export interface StackCalls {
  stack(ask: { name: string }): Promise<StackInfo>;
  startService(ask: { stack: string; service: string; env: Record<string, string> }): Promise<ServiceInfo>;
  stopService(ask: { id: number }): Promise<null>;
  stopStack(ask: { name: string }): Promise<null>;
}

export interface StackInfo {
  readonly name: string;
  readonly dataDir: string;
  /** Environment variables of an administrator. */
  readonly environment: Record<string, string>;
  /** Process ids of the servers by name. */
  readonly servers: Record<string, number>;
}

export interface ServiceInfo {
  readonly id: number;
  readonly pid: number;
  /** Port of /metrics and /healthz. */
  readonly http: number;
  readonly log: string;
}

/** Starts servers and services on demand, each stack once, and stops all of them at the end. */
export async function serveStacks(dir: string): Promise<{ url: string; close: () => Promise<void> }> {
  const stacks = new Map<string, Promise<RunningInstance>>();
  const services: SupervisedProcess[] = [];

  const launched = (name: string): Promise<RunningInstance> => {
    const started = stacks.get(name) ?? startStack(join(dir, name));
    stacks.set(name, started);
    return started;
  };
  const calls: StackCalls = {
    stack: async ({ name }) => {
      const { servers, record } = await launched(name);
      const pids = Object.fromEntries(servers.processes.map((server) => [server.name, server.pid]));
      return { name, dataDir: record.dataDir, environment: toEnvironment(servers.store, servers.bus), servers: pids };
    },
    startService: async ({ stack, service, env }) => {
      const started = await (await launched(stack)).startService(service, env);
      const id = services.push(started) - 1;
      const { pid, log } = started.current() ?? { pid: 0, log: '' };
      return { id, pid, http: started.http() ?? 0, log };
    },
    stopService: async ({ id }) => {
      await services[id]?.stop();
      return null;
    },
    stopStack: async ({ name }) => {
      await (await stacks.get(name))?.stop();
      stacks.delete(name);
      return null;
    },
  };
  const server = createServer((request, response) => {
    answer(calls, request).then(
      (value) => response.end(JSON.stringify({ value })),
      (error: unknown) => response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) })),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      const started = await Promise.allSettled(stacks.values());
      const stops = started.flatMap((stack) => (stack.status === 'fulfilled' ? [stack.value.stop] : []));
      await runCleanups([() => rm(dir, { recursive: true, force: true, maxRetries: 3 }), ...stops]);
    },
  };
}

async function startStack(dataDir: string): Promise<RunningInstance> {
  // Tests ignore external servers. Set-up is faster with a higher limit.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], MINIO_MEMLIMIT: '1GiB' };
  return launch({ dataDir, ports: await freePorts(), graph, services: [], env, progress: () => undefined });
}

async function answer(calls: StackCalls, request: IncomingMessage): Promise<unknown> {
  const call = calls[(request.url ?? '').slice(1) as keyof StackCalls] as (ask: unknown) => Promise<unknown>;
  return call(JSON.parse(await text(request)));
}
