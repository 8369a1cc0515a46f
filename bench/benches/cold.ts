import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logOf, startProcess } from '../../infra/process/process.ts';
import { serviceSpec } from '../../infra/local/service-spec.ts';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeMetadata } from '../../shared/pipeline/metadata.ts';
import { computeSha256 } from '../../shared/store/store.ts';
import { consumerName, streams } from '../../shared/bus/topology.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, summarize } from '../report/figures.ts';
import { withInstance, type Instance } from '../instance/instance.ts';

/** The stage with a model, and the limits per stage, in ms. */
const MODEL = 'stage-object-detector';
const LIMIT = { model: 1_200, other: 180 };

/** Content on which most stages fail after the start of their first item, which ends the measurement. */
const EMPTY_CONTENT = JSON.stringify({ start: 0, end: 1, interval: 1, frames: [] });

export const cold: Bench = {
  name: 'cold',
  about: 'time from process start to the start of the first queued item; each stage n times',
  n: 7,
  async run({ n, progress }) {
    return withInstance({ graph, services: ['relay'], progress }, async (instance) => {
      const starts: Record<string, Start[]> = {};
      for (let round = 0; round <= n; round += 1) {
        for (const { name, consumes } of graph.stages) {
          await queueItem(instance, name, consumes);
          const start = await startOnce(instance, name);
          // The first round loads the programs from disk.
          if (round > 0) (starts[name] ??= []).push(start);
        }
        progress(`round ${round} of ${n}`);
      }
      const all = Object.entries(starts);
      return {
        targets: all.map(([name, of]) =>
          atMost(`${name} p50 ms`, median(of.map(({ total }) => total)), name === MODEL ? LIMIT.model : LIMIT.other),
        ),
        figures: Object.fromEntries(all.map(([name, of]) => [name, toFigures(of)])),
      };
    });
  },
};

/** Duration of a cold start and of its sequential parts, in ms. */
interface Start {
  readonly total: number;
  /** Start of Node, computed as a difference. */
  readonly node: number;
  readonly imports: number;
  readonly connections: number;
  /** Start of the HTTP server and of the stage, which includes loading a model. */
  readonly resource: number;
  readonly first_item: number;
}

function toFigures(starts: readonly Start[]): object {
  const parts = ['total', 'node', 'imports', 'connections', 'resource', 'first_item'] as const;
  return Object.fromEntries(
    parts.map((part) => [part, part === 'total' ? summarize(starts.map((s) => s[part])) : median(starts.map((s) => s[part]))]),
  );
}

/** Puts an object that a stage consumes, and waits until the consumer of the stage has a pending message. */
async function queueItem({ store, bus }: Instance, stage: string, kind: Kind): Promise<void> {
  const content = kind === kinds.input ? `${EMPTY_CONTENT}${randomUUID()}` : EMPTY_CONTENT;
  const key = requestPrefix(randomUUID()) + pathOf(kind, { file: 'video.mp4', indices: { clip: 1 } });
  const metadata = { run: 1, options: {}, attributes: {}, sha256: computeSha256(content) };
  await store.put(key, content, { headers: kind === kinds.input ? {} : encodeMetadata(metadata) });
  const pending = async (): Promise<number> =>
    (await bus.manager.consumers.info(streams.landed, consumerName(stage, 'first'))).num_pending;
  while ((await pending()) === 0) await sleep(10);
}

async function startOnce({ launched, dataDir, bus }: Instance, stage: string): Promise<Start> {
  const log = join(dataDir, 'logs', `cold-${randomUUID()}.log`);
  const spec = serviceSpec([stage], {
    dataDir,
    environmentOf: launched.servers.environmentOf,
    env: { PATH: process.env['PATH'], FAVE_GRACE_SECONDS: '0' },
  });
  const begun = Date.now();
  const child = await startProcess({ ...spec, log });
  try {
    let lines = new Map<string, Line>();
    while (!lines.has('item:start')) {
      await sleep(20);
      lines = eventsIn(await logOf(child));
    }
    return startOf(begun, lines);
  } finally {
    await child.stop(5_000);
    await bus.manager.streams.purge(streams.landed);
    await rm(log);
  }
}

interface Line {
  readonly event?: string;
  readonly timestamp: string;
  readonly imports_ms: number;
  readonly connections_ms: number;
  readonly ready_ms: number;
}

function eventsIn(log: string): Map<string, Line> {
  const complete = log.split('\n').slice(0, -1);
  const lines = complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
  return new Map(lines.map((line) => [line.event ?? '', line]));
}

function startOf(begun: number, lines: Map<string, Line>): Start {
  const ready = lines.get('service:ready');
  const item = lines.get('item:start');
  if (!ready || !item) throw new Error('a service logs service:ready before item:start');
  const { imports_ms: imports, connections_ms: connections, ready_ms } = ready;
  return {
    total: Date.parse(item.timestamp) - begun,
    node: Date.parse(ready.timestamp) - ready_ms - begun,
    imports,
    connections,
    resource: ready_ms - imports - connections,
    first_item: Date.parse(item.timestamp) - Date.parse(ready.timestamp),
  };
}
