import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { observe } from '../../infra/observe/observe.ts';
import { rows } from '../../infra/observe/panels.ts';
import { freePorts } from '../../infra/ports.ts';
import { serviceNames } from '../../infra/services.ts';
import type { Kind } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import { logEvents } from '../../shared/log.ts';
import { outcomes } from '../../shared/runtime/metrics.ts';
import { toolNames, toolResults } from '../../shared/runtime/tools.ts';
import { digestOf, storeResults } from '../../shared/store.ts';
import { streams } from '../../shared/topology.ts';
import { newTraceparent, traceIdOf } from '../../shared/trace.ts';
import { chirp, generated, h264, picture } from '../media.ts';
import { ownStack, uniqueId, type RunningService, type Stack } from '../stack.ts';
import { collect, type Span } from './collector.ts';

/** Milliseconds that a request, or what follows from it, may take; slow cores are shared. */
const DEADLINE = 240_000;
vi.setConfig({ testTimeout: DEADLINE });

/** The launcher installs Debian's package where it may; where neither is possible these tests say so by being skipped. */
const hasPrometheus = ((): boolean => {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return process.getuid?.() === 0;
  }
})();

let stack: Stack;
let services: RunningService[];
let prometheus: Awaited<ReturnType<typeof observe>> | undefined;
let collector: Awaited<ReturnType<typeof collect>>;
const id = uniqueId('observed');
const begun = newTraceparent();

/** Values of a query's series, by its labels. */
async function query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
  const response = await fetch(`${prometheus!.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { status, data, error } = (await response.json()) as {
    status: string;
    error?: string;
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (status !== 'success') throw new Error(`${expr}: ${String(error)}`);
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

const until = <T>(what: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> =>
  vi.waitUntil(what, { timeout: DEADLINE, interval: 500 });

beforeAll(async () => {
  [stack, collector] = await Promise.all([ownStack(), collect()]);
  services = await stack.startServices(serviceNames(graph), {
    FAVE_CANARY_INTERVAL: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  if (hasPrometheus) {
    const { minio: port } = await freePorts();
    prometheus = await observe({ dataDir: stack.dataDir, port, interval: 1, progress: () => undefined });
    // Whatever is counted is counted from 0: what happens from here on is an increase.
    await until(async () => (await query('up == 1')).length === services.length + 2);
  }
  const path = generated('observed.mp4', ...picture({ seconds: 2 }), ...chirp(2), ...h264);
  await stack.store.upload(
    `requests/${id}/input/video.mp4`,
    { path, ...(await digestOf(path)) },
    { headers: { 'x-amz-meta-fave-traceparent': begun } },
  );
  await until(async () => {
    const state = await stack.store.text(`requests/${id}/metadata/state.json`);
    return state !== undefined && ['completed', 'failed'].includes((JSON.parse(state.text) as { status: string }).status);
  });
}, DEADLINE);
afterAll(async () => {
  await prometheus?.stop();
  collector.close();
});

describe('traces', () => {
  const producerOf = (kind: Kind) => graph.stages.find(({ produces }) => produces.includes(kind));
  const rootsOf = (spans: readonly Span[]): Span[] => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? ''));
  };
  it('a request is one tree, from the span that its sender began', async () => {
    const ofRequest = (): Span[] => collector.spans.filter(({ traceId }) => traceId === traceIdOf(begun));
    const settled = await until(() => {
      const spans = ofRequest();
      const names = new Set(spans.map(({ name }) => name));
      // What an item did is sent before its own span is.
      if (rootsOf(spans).length !== 1) return false;
      return ['admit', 'request', ...graph.stages.map(({ name }) => name)].every((name) => names.has(name)) && spans;
    });
    expect(rootsOf(settled).map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['admit', begun.split('-')[2]]]);
    // Each stage below the stage that made what it works on.
    const nameOf = new Map(settled.map(({ spanId, name }) => [spanId, name]));
    for (const stage of graph.stages) {
      const parents = settled.filter(({ name }) => name === stage.name).map(({ parentSpanId }) => nameOf.get(parentSpanId ?? ''));
      expect([...new Set(parents)], stage.name).toEqual([producerOf(stage.consumes)?.name ?? 'admit']);
    }
    expect(settled.filter(({ name }) => name === 'ffmpeg').length).toBeGreaterThan(0);
    // What an item asks of the store is part of it.
    const puts = settled.filter(({ name }) => name === 'store put');
    expect(new Set(puts.map(({ parentSpanId }) => nameOf.get(parentSpanId ?? '')))).toEqual(
      new Set(graph.stages.map(({ name }) => name)),
    );
    for (const { attributes } of puts)
      expect(Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))).toMatchObject({
        'fave.store.key': expect.stringContaining(`requests/${id}/`),
        'fave.store.result': 'ok',
        'fave.store.bytes': expect.anything(),
      });
    expect(settled.filter(({ name }) => name === 'admit').map(({ service }) => service)).toEqual(['relay']);
  });
});

describe('logs', () => {
  it('know no event but those of the vocabulary, and item lines have what the cost is reckoned from', async () => {
    const lines = (await Promise.all(services.map((service) => service.logs()))).flat();
    expect([...new Set(lines.map(({ event }) => event))].filter((event) => !(String(event) in logEvents))).toEqual([]);
    const done = lines.filter(({ event, request_id }) => event === 'item:done' && request_id === id);
    expect(new Set(done.map(({ stage }) => stage))).toEqual(new Set(graph.stages.map(({ name }) => name)));
    for (const line of done) {
      expect(line).toMatchObject({
        timestamp: expect.stringMatching(/Z$/),
        cold_start: expect.any(Boolean),
        duration_ms: expect.any(Number),
        memory_limit_mb: expect.any(Number),
        cost_unit: expect.any(Number),
        trace_id: traceIdOf(begun),
      });
    }
  });
});

/** Every value that a label of FAVE's own metrics may have. */
const values: Record<string, readonly string[]> = {
  service: serviceNames(graph),
  stage: serviceNames(graph),
  outcome: outcomes,
  lane: ['first', 'rest'],
  part: ['imports', 'connections', 'model', 'first_item'],
  tool: toolNames,
  result: [...storeResults, ...toolResults, 'landed', 'ignored', 'rejected', 'invalid', 'retried'],
  operation: ['head', 'get', 'put', 'copy', 'list', 'delete'],
  direction: ['in', 'out'],
  path: ['fast', 'durable'],
  status: ['accepted', 'completed', 'failed', 'cancelled'],
  stream: Object.values(streams),
};

describe('metrics', () => {
  it('have labels of few values, known beforehand', async () => {
    const texts = await Promise.all(services.map(async ({ http }) => (await fetch(`http://127.0.0.1:${http}/metrics`)).text()));
    const labels = texts.flatMap((text) =>
      [...text.matchAll(/^fave_\w+\{(.*)\} /gm)].flatMap(([, all = '']) => [...all.matchAll(/(\w+)="([^"]*)"/g)]),
    );
    const odd = labels.filter(([, name = '', value = '']) => name !== 'le' && !values[name]?.includes(value));
    expect(labels.length).toBeGreaterThan(500);
    expect([...new Set(odd.map(([text]) => text))]).toEqual([]);
  });
});

describe.skipIf(!hasPrometheus)('in Prometheus', () => {
  const panels = Object.values(rows).flat();
  it.each(panels)('the panel "$title" shows something', async ({ expr }) => {
    const found = await until(async () => {
      const series = await query(expr.replaceAll('RATE', '5m'));
      return series.some(({ value }) => Number.isFinite(value)) && series;
    });
    expect(found.length).toBeGreaterThan(0);
  });

  const { groups } = parse(readFileSync('infra/observe/alerts.yml', 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  it.each(groups.flatMap(({ rules }) => rules))('$alert looks at series that there are', async ({ expr }) => {
    const series = [...new Set(expr.match(/\b(?:fave|minio)_\w+|\bup\b/g))];
    expect(series.length).toBeGreaterThan(0);
    for (const name of series) expect(await query(`count(${name})`), name).toHaveLength(1);
  });

  it('every rule is evaluated without an error, and an instance at rest raises no alarm', async () => {
    type Rules = { data: { groups: { rules: { name: string; health: string; state: string }[] }[] } };
    const rules = await until(async () => {
      const { data } = (await (await fetch(`${prometheus!.url}/api/v1/rules`)).json()) as Rules;
      const all = data.groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });
});
