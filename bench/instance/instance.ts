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
import { runCleanups, type CleanUp } from '../../infra/process/clean-ups.ts';
import { now } from '../report/figures.ts';
import { startPeer, type Peer } from '../peers/peer.ts';

/** Real servers, set up for a graph, with the services of a benchmark. */
export interface Instance {
  readonly launched: RunningInstance;
  readonly dataDir: string;
  /** Connections as administrator. */
  readonly store: Store;
  readonly bus: Bus;
  /** Starts a program of `peers/programs/` as a process with the permissions of `role`. */
  peer(program: string, role: string, ...args: readonly string[]): Promise<Peer>;
}

export interface InstanceOptions {
  readonly graph: Graph;
  /** Bundled services to run. */
  readonly services?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly progress: ProgressReporter;
}

/**
 * Starts an instance in a temporary directory on free ports, runs `use`, and removes the instance, also on Ctrl-C.
 * @throws PermanentError `not-built` if the bundle of the services is older than the sources.
 */
export async function withInstance<T>(options: InstanceOptions, use: (instance: Instance) => Promise<T>): Promise<T> {
  const { graph, services = [], env = {}, progress } = options;
  if (services.length > 0) assertBuilt();
  const dataDir = await mkdtemp(join(tmpdir(), 'fave-bench-'));
  const own = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }; // ignores external servers of the shell
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

/** Checks that the bundle is newer than the sources. @throws PermanentError `not-built`. */
export function assertBuilt(): void {
  const bundle = statSync(join(root, 'dist', 'service.mjs'), { throwIfNoEntry: false });
  const sources = ['schemas', 'shared', 'services'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  );
  const newest = Math.max(...sources.filter((path) => /\.m?ts$|\.mjs$/.test(path)).map((path) => statSync(path).mtimeMs));
  if (!bundle || bundle.mtimeMs < newest)
    throw new PermanentError('not-built', 'the sources are newer than their bundle: run `npm run build` first');
}

/** End of a request: the final state, and the time at which this process received it. */
export interface RequestEnd {
  readonly at: number;
  readonly state: RequestState;
}

/** Waits for the end of a request; must be called before the upload. @throws Error if the request failed, was rejected or had errors. */
export function waitForEnd(bus: Bus, requestId: string): Promise<RequestEnd> {
  const end = watch(bus, requestId);
  // A caller that fails before the end does not await this promise.
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
