import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, inject } from 'vitest';
import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import { readConfig, type Config } from '../../shared/config/config.ts';
import { createStoreAdmin, type StoreAdmin } from '../../shared/store/s3/admin.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import './built-servers.ts';
import { runCleanups, type CleanUp } from '../../infra/process/clean-ups.ts';
import type { ServiceInfo, StackCalls } from './stack-server.ts';

/** Real MinIO and NATS with set-up done, and an administrator's connections to them; closed after the test file. */
export interface Stack {
  readonly store: Store;
  readonly storeAdmin: StoreAdmin;
  readonly bus: Bus;
  readonly config: Config;
  /** An administrator's environment, for programs that a test runs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Process ids of `minio` and `nats-server`, for tests that stop them. */
  readonly servers: Readonly<Record<string, number>>;
  /** Starts services as real processes, each with its own rights, and waits until they are ready. */
  startServices(names: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunningService[]>;
}

export interface RunningService extends ServiceInfo {
  readonly name: string;
  /** The JSON lines that it logged. */
  logs(): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Undone when the test file is done; registered at import, as hooks must be. */
const cleanUps: CleanUp[] = [];
afterAll(() => runCleanups(cleanUps));

/** Has something done when the test file is done, before what was opened earlier is closed. */
export function onTestFileEnd(cleanUp: CleanUp): void {
  cleanUps.push(cleanUp);
}

let shared: Promise<Stack> | undefined;

/** The servers that all test files share. Use request ids of your own ({@link uniqueId}), and start only services that others may start too. */
export function useSharedStack(): Promise<Stack> {
  return (shared ??= open('shared'));
}

/** Servers of this test's own, for tests that stop them, or need empty streams or to be the only consumer. Takes some seconds. */
export async function createOwnStack(): Promise<Stack> {
  const name = `own-${randomUUID()}`;
  onTestFileEnd(() => call('stopStack', { name }));
  return open(name);
}

/** A request id that no other test uses. */
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
      // What comes after the last line's end is still being written.
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
