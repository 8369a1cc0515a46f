import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestState } from '../../schemas/generated/types.ts';
import { launch, type RunningInstance } from '../../infra/local/launcher.ts';
import { root } from '../../infra/process/paths.ts';
import { freePorts } from '../../infra/deployment/ports.ts';
import type { ProgressReporter } from '../../infra/process/progress.ts';
import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { validate } from '../../shared/core/validate.ts';
import { runCleanups, type CleanUp } from '../../tests/support/clean-ups.ts';
import { now } from '../report/figures.ts';
import { startPeer, type Peer } from '../peers/peer.ts';

/** Real servers, set up for a graph, with the services that a benchmark asked for. */
export interface Instance {
  readonly launched: RunningInstance;
  readonly dataDir: string;
  /** An administrator's connections. */
  readonly store: Store;
  readonly bus: Bus;
  /** Starts a program of `peers/` as a process with the rights of `role`. */
  peer(program: string, role: string, ...args: readonly string[]): Promise<Peer>;
}

export interface InstanceOptions {
  readonly graph: Graph;
  /** Services of the built bundle to run. */
  readonly services?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly progress: ProgressReporter;
}

/**
 * Boots an instance in a directory and on ports of its own, and removes all of it afterwards, also on Ctrl-C.
 * @throws PermanentError `not-built` where services are to run and the bundle is not what the sources are.
 */
export async function withInstance<T>(options: InstanceOptions, use: (instance: Instance) => Promise<T>): Promise<T> {
  const { graph, services = [], env = {}, progress } = options;
  if (services.length > 0) assertBuilt();
  const dataDir = await mkdtemp(join(tmpdir(), 'fave-bench-'));
  const own = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }; // servers that the shell names are not for benchmarks
  const cleanUps: CleanUp[] = [() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 })];
  const interrupted = (): void => void runCleanups(cleanUps).finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const launched = await launch({ dataDir, ports: await freePorts(), graph, services, env: own, progress });
    cleanUps.push(launched.stop);
    const store = createStore(launched.servers.store);
    cleanUps.push(() => store.close());
    const bus = await connectBus(launched.servers.bus, 'bench');
    cleanUps.push(() => bus.close());
    return await use({
      launched,
      dataDir,
      store,
      bus,
      peer: async (program, role, ...args) => {
        const environment = { ...own, ...launched.servers.environmentOf(role), FAVE_TMPDIR: join(dataDir, 'tmp') };
        const peer = await startPeer(program, args, environment, join(dataDir, 'logs', `${program}-${role}.log`));
        cleanUps.push(() => peer.stop());
        return peer;
      },
    });
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await runCleanups(cleanUps);
  }
}

/** A bundle of yesterday's sources would be measured without anybody noticing. @throws PermanentError `not-built`. */
export function assertBuilt(): void {
  const bundle = statSync(join(root, 'dist', 'service.mjs'), { throwIfNoEntry: false });
  const sources = ['schemas', 'shared', 'services'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  );
  const newest = Math.max(...sources.filter((path) => /\.m?ts$|\.mjs$/.test(path)).map((path) => statSync(path).mtimeMs));
  if (!bundle || bundle.mtimeMs < newest)
    throw new PermanentError('not-built', 'the sources are newer than their bundle: run `npm run build` first');
}

/** How a request ended, and when this process heard of it. */
export interface RequestEnd {
  readonly at: number;
  readonly state: RequestState;
}

/** Waits for the end of a request; call it before the upload. @throws Error when the request failed, was rejected or had errors. */
export function waitForEnd(bus: Bus, requestId: string): Promise<RequestEnd> {
  const end = watch(bus, requestId);
  // Whoever fails first need not wait for it any more.
  end.catch(() => undefined);
  return end;
}

async function watch(bus: Bus, requestId: string): Promise<RequestEnd> {
  const subscription = bus.connection.subscribe(subjects.lifecycle(requestId, '*'));
  for await (const message of subscription) {
    const name = message.subject.split('.').at(-1) ?? '';
    if (name === 'accepted') continue;
    const at = now();
    const state = validate('requestState', message.json<{ data: unknown }>().data);
    const [error] = state.errors ?? [];
    if (name !== 'completed' || error)
      throw new Error(`request ${requestId} ended as ${name}: ${error?.message ?? 'no reason given'}`);
    return { at, state };
  }
  throw new Error(`the connection closed before request ${requestId} ended`);
}
