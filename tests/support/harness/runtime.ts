import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, vi } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import { setUp } from '../../../infra/setup/setup.ts';
import { relay } from '../../../services/relay/relay.ts';
import { tracker } from '../../../services/tracker/tracker.ts';
import type { CloudEvent, LandedMessage, RequestState, ItemEvent } from '../../../schemas/generated/types.ts';
import type { Config } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createLaneConsumer } from '../../../shared/runtime/delivery/lane-consumer.ts';
import { createMetrics } from '../../../shared/runtime/service/metrics.ts';
import type { ReadyMessage, Service } from '../../../shared/runtime/service/service.ts';
import { runWorker } from '../../../shared/runtime/worker.ts';
import { computeSha256 } from '../../../shared/store/store.ts';
import { consumerName, MAX_DELIVERIES, streams, subjects } from '../../../shared/bus/topology.ts';
import { exec } from '../exec.ts';
import { createOwnStack, onTestFileEnd, type Stack } from '../stack.ts';
import { WAIT } from '../wait.ts';

export { WAIT };

/** A service in the process of the test. */
export interface Running {
  /** Drains the service: resolves after its current items. */
  stop(): Promise<void>;
  /** Stops the service like the end of the grace period: returns current items. */
  kill(): Promise<void>;
}

const dir = mkdtempSync(join(tmpdir(), 'fave-runtime-'));
const programDir = mkdtempSync(join(tmpdir(), 'fave-runtime-program-'));
// Registered first and so executed last, because items create directories until their worker has stopped.
onTestFileEnd(() => {
  for (const each of [dir, programDir]) rmSync(each, { recursive: true, force: true });
});

/** Sets a stack up for another graph. @param ackWaitSeconds Time without a heartbeat until redelivery, in seconds. */
export async function setUpStack(stack: Stack, graph: Graph, ackWaitSeconds = 1): Promise<void> {
  for (const stream of Object.values(streams))
    for await (const { name } of stack.bus.manager.consumers.list(stream)) await stack.bus.manager.consumers.delete(stream, name);
  await setUp({ ...stack, graph, ackWaitSeconds });
}

/** Starts `relay`, `tracker` or a stage of the graph in this process and waits until it is ready. @param more Overrides of the settings. */
export async function start(stack: Stack, graph: Graph, name: string, more: Partial<Config> = {}): Promise<Running> {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const config = { ...stack.config, ackWaitSeconds: 1, tmpdir: dir, logLevel: process.env['FAVE_TEST_LOG'] ?? 'silent', ...more };
  const log = createLogger({ service: name }, config.logLevel);
  let done: Promise<void> = Promise.resolve();
  await new Promise<void>((ready, failed) => {
    const service: Service = {
      name,
      config,
      log,
      bus: stack.bus,
      store: stack.store,
      metrics: createMetrics(name),
      exec,
      drainSignal: stop.signal,
      killSignal: kill.signal,
      ready: () => ready(),
      firstItem: () => undefined,
    };
    done =
      name === 'relay'
        ? relay(service, graph)
        : name === 'tracker'
          ? tracker(service, graph)
          : runWorker(graph.stage(name), { ...service, settings: {} });
    done.catch(failed);
  });
  const end = async (...signals: AbortController[]): Promise<void> => {
    for (const signal of signals) signal.abort(new Error('the process is stopping'));
    await done;
  };
  const one: Running = { stop: () => end(stop), kill: () => end(stop, kill) };
  // Runs before the connections are closed.
  onTestFileEnd(one.kill);
  return one;
}

/** Creates a separate stack, sets it up for a graph and starts services of the graph in this process. */
export async function startGraph(graph: Graph, names: readonly string[], ackWaitSeconds = 1): Promise<Stack> {
  const stack = await createOwnStack();
  await setUpStack(stack, graph, ackWaitSeconds);
  for (const name of names) await start(stack, graph, name);
  return stack;
}

/** A separate process of the stage `uppercase`. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<ReadyMessage>;
  /** Waits for a log line. */
  logged(event: string): Promise<Record<string, unknown>>;
  /** Exit code or signal. */
  readonly ended: Promise<number | string>;
}

let program: Promise<string> | undefined;

export async function startProcess(
  stack: Stack,
  { diesAfter = 0, env = {} }: { diesAfter?: number; env?: Record<string, string> } = {},
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [await (program ??= bundled()), String(diesAfter)], {
    env: {
      PATH: process.env['PATH'],
      ...stack.environment,
      FAVE_ACK_WAIT_SECONDS: '1',
      FAVE_TMPDIR: dir,
      FAVE_GRACE_SECONDS: '10',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  onTestFileEnd(() => (child.kill('SIGKILL'), ended));
  return {
    child,
    ready: once(child, 'message').then(([message]) => message as ReadyMessage),
    logged: (event) =>
      vi.waitUntil<Record<string, unknown> | undefined>(() => lines.find((line) => line['event'] === event), WAIT),
    ended,
  };
}

async function bundled(): Promise<string> {
  await bundle({ worker: join(import.meta.dirname, '../../fixtures/tiny/worker.ts') }, programDir);
  return join(programDir, 'worker.mjs');
}

/** Exhausts the deliveries of an item without acknowledgement, like lost workers, and waits for the advisory. */
export async function exhaustDeliveries({ bus }: Stack, stage: string, condition: () => Promise<boolean>): Promise<void> {
  const feed = createLaneConsumer(bus, streams.landed, [consumerName(stage, 'first')], createLogger({}, 'silent'));
  for (let delivery = 1; delivery <= MAX_DELIVERIES; delivery += 1) {
    const item = await feed.next(AbortSignal.timeout(WAIT.timeout));
    expect(item?.deliveries).toBe(delivery);
    // Faster than waiting for ack_wait, with the same effect on the server.
    item?.nak();
  }
  // The server publishes the advisory only on the next pull request.
  const asking = new AbortController();
  const next = feed.next(asking.signal);
  await vi.waitUntil(condition, WAIT);
  asking.abort();
  expect(await next).toBeUndefined();
}

/** Reads the messages of a stream on a subject, which may contain wildcards, in order. */
export async function readStoredMessages<T>({ bus }: Pick<Stack, 'bus'>, stream: string, subject: string): Promise<T[]> {
  const found: T[] = [];
  for (let seq = 1; ;) {
    const reply = await bus.connection.request(
      `$JS.API.STREAM.MSG.GET.${stream}`,
      JSON.stringify({ seq, next_by_subj: subject }),
    );
    const { message } = reply.json<{ message?: { seq: number; data: string } }>();
    if (!message) return found;
    found.push(JSON.parse(Buffer.from(message.data, 'base64').toString()) as T);
    seq = message.seq + 1;
  }
}

/**
 * Collects landed messages from now on as stored in the stream, because a subscriber would receive duplicates of both paths.
 * @param kind Kind to collect. Default: all kinds.
 */
export async function announcements({ bus }: Pick<Stack, 'bus'>, kind = '*'): Promise<readonly LandedMessage[]> {
  const landed: LandedMessage[] = [];
  const ids = new Set<string>();
  const subscription = bus.connection.subscribe(`fave.landed.${kind}.>`, {
    callback: (_, message) => {
      const id = message.headers?.get('Nats-Msg-Id') ?? '';
      if (!ids.has(id)) landed.push(message.json<LandedMessage>());
      ids.add(id);
    },
  });
  onTestFinished(() => subscription.unsubscribe());
  await bus.connection.flush();
  return landed;
}

/** Returns accessors for the objects and events of a request. */
export function requestMetadata(stack: Stack, id: string) {
  const events = async <T>(subject: string): Promise<T[]> =>
    (await readStoredMessages<CloudEvent>(stack, streams.requests, subject)).map(({ data }) => data as T);
  return {
    id,
    put: (text: string, options: Record<string, string> = {}) =>
      stack.store.put(`requests/${id}/input/text.txt`, text, {
        headers: Object.fromEntries(Object.entries(options).map(([name, value]) => [`x-amz-meta-fave-${name}`, value])),
      }),
    lifecycle: (name: string) => events<RequestState>(subjects.lifecycle(id, name)),
    progress: (stage: string) => events<ItemEvent>(subjects.stage(id, stage)),
    deadLetters: (stage: string) =>
      readStoredMessages<Record<string, unknown>>(stack, streams.deadLetters, subjects.deadLetter(stage, id)),
    /** Keys of the memo entries. They are written asynchronously, so those of earlier requests may still be missing. */
    memoKeys: async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of stack.store.list('memo/'))
        if ((await stack.store.getText(key))?.text.includes(id)) found.push(key);
      return found;
    },
    /** Waits for the end of the request. */
    ended: async (): Promise<RequestState> => {
      const ends = (): Promise<RequestState[]> =>
        Promise.all(['completed', 'failed'].map((name) => events<RequestState>(subjects.lifecycle(id, name)))).then((found) =>
          found.flat(),
        );
      return await vi.waitUntil(async () => (await ends())[0], WAIT);
    },
    /** Number of terminal events. */
    ends: async (): Promise<number> =>
      (await Promise.all(['completed', 'failed'].map((name) => events(subjects.lifecycle(id, name))))).flat().length,
    /** SHA-256 of each object of the request except metadata, by path. */
    artifacts: async (): Promise<Record<string, string>> => {
      const found: Record<string, string> = {};
      const prefix = `requests/${id}/`;
      for await (const { key } of stack.store.list(prefix)) {
        const path = key.slice(prefix.length);
        if (!path.startsWith('metadata/')) found[path] = computeSha256((await stack.store.getText(key))!.text);
      }
      return found;
    },
    state: async () => JSON.parse((await stack.store.getText(`requests/${id}/metadata/state.json`))!.text) as RequestState,
  };
}
