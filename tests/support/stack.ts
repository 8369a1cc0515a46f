import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, inject } from 'vitest';
import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import { readConfig, type Config } from '../../shared/config/config.ts';
import { createStoreAdmin, type StoreAdmin } from '../../shared/store/s3/admin.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import './built-servers.ts';
// Registers its hook before the one below, so that directories are removed after these clean-ups.
import './temp-dir.ts';
import { runCleanups, type CleanUp } from '../../infra/process/clean-ups.ts';
import type { ServiceInfo, StackCalls } from './stack-server.ts';

/** Real MinIO and NATS after set-up, with connections as administrator, which are closed after the test file. */
export interface Stack {
  readonly store: Store;
  readonly storeAdmin: StoreAdmin;
  readonly bus: Bus;
  readonly config: Config;
  /** Environment variables of an administrator. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Process ids of `minio` and `nats-server`. */
  readonly servers: Readonly<Record<string, number>>;
  /** Starts services as processes with the permissions of their roles, and waits until they are ready. */
  startServices(names: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunningService[]>;
}

export interface RunningService extends ServiceInfo {
  readonly name: string;
  /** Returns the JSON log lines. */
  logs(): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Clean-ups of the test file. The hook is registered at import. */
const cleanUps: CleanUp[] = [];
afterAll(() => runCleanups(cleanUps));

/** Registers a clean-up for the end of the test file. Clean-ups run in reverse order. */
export function onTestFileEnd(cleanUp: CleanUp): void {
  cleanUps.push(cleanUp);
}

let shared: Promise<Stack> | undefined;

/** Returns the stack that all test files share. Tests use unique request ids ({@link uniqueId}) and start only services that other files may start too. */
export function useSharedStack(): Promise<Stack> {
  return (shared ??= open('shared'));
}

/** Creates a separate stack, for tests that stop servers or need empty streams or exclusive consumers. Takes some seconds. */
export async function createOwnStack(): Promise<Stack> {
  const name = `own-${randomUUID()}`;
  onTestFileEnd(() => call('stopStack', { name }));
  return open(name);
}

/** Returns a unique request id. */
export function uniqueId(prefix = 'test'): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

async function open(name: string): Promise<Stack> {
  const { environment, dataDir, servers } = await call('stack', { name });
  const config = readConfig(environment);
  const [store, storeAdmin] = [createStore(config.store), createStoreAdmin(config.store)];
  const bus = await connectBus(config.bus, 'test');
  onTestFileEnd(async () => {
    store.close();
    storeAdmin.close();
    await bus.close();
  });
  return {
    store,
    storeAdmin,
    bus,
    config,
    environment,
    dataDir,
    servers,
    startServices: async (names, env = {}) => {
      const started = await Promise.allSettled(names.map((service) => start(name, service, { ...env })));
      const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      onTestFileEnd(() => Promise.all(running.map((service) => service.stop())));
      for (const result of started) if (result.status === 'rejected') throw result.reason;
      return running;
    },
  };
}

async function start(stack: string, service: string, env: Record<string, string>): Promise<RunningService> {
  const info = await call('startService', { stack, service, env });
  return {
    ...info,
    name: service,
    logs: async () => {
      // The text after the last line break is incomplete.
      const lines = (await readFile(info.log, 'utf8')).split('\n').slice(0, -1);
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    stop: async () => {
      await call('stopService', { id: info.id });
    },
  };
}

async function call<Name extends keyof StackCalls>(
  name: Name,
  ask: Parameters<StackCalls[Name]>[0],
): Promise<Awaited<ReturnType<StackCalls[Name]>>> {
  const response = await fetch(`${inject('stacks')}/${name}`, { method: 'POST', body: JSON.stringify(ask) });
  const { value, error } = (await response.json()) as { value: Awaited<ReturnType<StackCalls[Name]>>; error?: string };
  if (error !== undefined) throw new Error(error);
  return value;
}
