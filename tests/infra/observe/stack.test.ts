import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { runPrometheus } from '../../../infra/observe/observe.ts';
import { rows } from '../../../infra/observe/panels.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { kinds, type Kind } from '../../../schemas/kinds.ts';
import { graph } from '../../../services/pipeline.ts';
import { results } from '../../../services/relay/relay.ts';
import { logEvents } from '../../../shared/observability/log.ts';
import { outcomes } from '../../../shared/runtime/service/metrics.ts';
import { toolNames, toolResults } from '../../../shared/runtime/workdir/recorded-exec.ts';
import { digestFile, storeResults } from '../../../shared/store/store.ts';
import { lanesOf, streams } from '../../../shared/bus/topology.ts';
import { newTraceparent, traceIdOf } from '../../../shared/observability/trace.ts';
import { chirp, generateMedia, h264, createPicture } from '../../support/media.ts';
import { createOwnStack, uniqueId, type RunningService, type Stack } from '../../support/stack.ts';
import { startCollector, rootsOf, type Span } from '../../../infra/observe/collector.ts';
import { scrape, valuesOf } from './scrape.ts';

/** Timeout for a request and its effects on a slow machine, in milliseconds. */
const TEST_TIMEOUT_MS = 240_000;
vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

let stack: Stack;
let services: RunningService[];
let prometheus: Awaited<ReturnType<typeof runPrometheus>>;
let collector: Awaited<ReturnType<typeof startCollector>>;
const id = uniqueId('observed');
/** Request with an invalid video. */
const broken = uniqueId('broken');
const begun = newTraceparent();

/** Values of a query's series, by its labels. */
async function query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
  const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { status, data, error } = (await response.json()) as {
    status: string;
    error?: string;
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (status !== 'success') throw new Error(`${expr}: ${String(error)}`);
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

const waitUntil = <T>(check: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> =>
  vi.waitUntil(check, { timeout: TEST_TIMEOUT_MS, interval: 500 });

/** Waits for a request's end. */
async function ended(request: string): Promise<void> {
  await waitUntil(async () => {
    const state = await stack.store.getText(`requests/${request}/metadata/state.json`);
    return state !== undefined && ['completed', 'failed'].includes((JSON.parse(state.text) as { status: string }).status);
  });
}

/** Reads the log lines of a request from the bucket, by stage. They are written in batches. */
async function linesOf(request: string): Promise<Record<string, Record<string, unknown>[]>> {
  const lines: Record<string, Record<string, unknown>[]> = {};
  for await (const { key } of stack.store.list(`requests/${request}/metadata/logs/`)) {
    const stage = /\/metadata\/logs\/(.+)-\d{4}-\d\d-\d\dT\d+Z-\w+\.jsonl$/.exec(key)?.[1] ?? key;
    const { text } = (await stack.store.getText(key))!;
    for (const line of text.trimEnd().split('\n')) (lines[stage] ??= []).push(JSON.parse(line) as Record<string, unknown>);
  }
  return lines;
}

beforeAll(async () => {
  [stack, collector] = await Promise.all([createOwnStack(), startCollector()]);
  services = await stack.startServices(serviceNames(graph), {
    FAVE_CANARY_INTERVAL_SECONDS: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  // Installs the Debian package, or fails with its name.
  const { minio: port } = await freePorts();
  prometheus = await runPrometheus({ dataDir: stack.dataDir, port, interval: 1, progress: () => undefined });
  // All counters start at 0, so every change from here on is an increase.
  await waitUntil(async () => (await query('up == 1')).length === services.length + 2);
  const path = generateMedia('observed.mp4', ...createPicture({ seconds: 2 }), ...chirp(2), ...h264);
  await stack.store.upload(
    `requests/${id}/input/video.mp4`,
    { path, ...(await digestFile(path)) },
    { headers: { 'x-amz-meta-fave-traceparent': begun } },
  );
  await stack.store.put(`requests/${broken}/input/video.mp4`, '\0\0\0\x14ftypisom cut off');
  await Promise.all([id, broken].map(ended));
}, TEST_TIMEOUT_MS);
afterAll(async () => {
  await prometheus.stop();
  collector.close();
});

describe('traces', () => {
  const producerOf = (kind: Kind) => graph.stages.find(({ produces }) => produces.includes(kind));
  it('traces a request as one tree below the span of its sender', async () => {
    const ofRequest = (): Span[] => collector.spans.filter(({ traceId }) => traceId === traceIdOf(begun));
    const settled = await waitUntil(() => {
      const spans = ofRequest();
      const names = new Set(spans.map(({ name }) => name));
      // Child spans are exported before the span of the item.
      if (rootsOf(spans).length !== 1) return false;
      return ['admit', 'request', ...graph.stages.map(({ name }) => name)].every((name) => names.has(name)) && spans;
    });
    expect(rootsOf(settled).map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['admit', begun.split('-')[2]]]);
    // The parent of a stage span is the stage that produced its input.
    const nameOf = new Map(settled.map(({ spanId, name }) => [spanId, name]));
    for (const stage of graph.stages) {
      const parents = settled.filter(({ name }) => name === stage.name).map(({ parentSpanId }) => nameOf.get(parentSpanId ?? ''));
      expect([...new Set(parents)], stage.name).toEqual([producerOf(stage.consumes)?.name ?? 'admit']);
    }
    expect(settled.filter(({ name }) => name === 'ffmpeg').length).toBeGreaterThan(0);
    // Store requests of an item are children of its span.
    const puts = settled.filter(({ name }) => name === 'store put');
    expect(new Set(puts.map(({ parentSpanId }) => nameOf.get(parentSpanId ?? '')))).toEqual(
      new Set(graph.stages.map(({ name }) => name)),
    );
    for (const { attributes } of puts)
      expect(Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))).toMatchObject({
        'fave.store.key': expect.stringMatching(`^(requests/${id}|memo)/`),
        'fave.store.result': 'ok',
        'fave.store.bytes': expect.anything(),
      });
    expect(settled.filter(({ name }) => name === 'admit').map(({ service }) => service)).toEqual(['relay']);
  });
});

describe('logs', () => {
  it('uses documented events only, and has the cost fields in lines of items', async () => {
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

describe('request log', () => {
  const events = (lines: Record<string, unknown>[] = []) => lines.map(({ event }) => event);
  it('contains exactly the log lines of the request', async () => {
    const logged = async (stage: string): Promise<Record<string, unknown>[]> => {
      const lines = await services.find(({ name }) => name === stage)!.logs();
      return lines.filter(({ request_id }) => request_id === id);
    };
    const put = await waitUntil(async () => {
      const lines = await linesOf(id);
      return graph.stages.every(({ name }) => events(lines[name]).includes('item:done')) && lines;
    });
    expect(Object.keys(put).sort()).toEqual(graph.stages.map(({ name }) => name).sort());
    for (const [stage, lines] of Object.entries(put)) expect(lines, stage).toEqual(await logged(stage));
  });

  it('explains a failed request and contains no lines of stages that it did not reach', async () => {
    const put = await waitUntil(async () => {
      const lines = await linesOf(broken);
      return events(lines['stage-ffmpeg-0']).includes('item:failed') && lines;
    });
    expect(Object.keys(put)).toEqual(['stage-ffmpeg-0']);
    for (const line of Object.values(put).flat()) expect(line).toMatchObject({ request_id: broken });
  });
});

/** Every value that a label of FAVE's own metrics may have. */
const values: Record<string, readonly string[]> = {
  service: serviceNames(graph),
  stage: serviceNames(graph),
  outcome: outcomes,
  lane: lanesOf(kinds.clip),
  part: ['imports', 'connections', 'model', 'first_item'],
  tool: toolNames,
  result: [...storeResults, ...toolResults, ...results],
  operation: ['head', 'get', 'put', 'copy', 'list', 'delete'],
  direction: ['in', 'out'],
  path: ['fast', 'durable'],
  status: ['accepted', 'completed', 'failed', 'cancelled'],
  stream: Object.values(streams),
  discard: ['new', 'old'],
};

describe('metrics', () => {
  it('has labels with a fixed set of values', async () => {
    const samples = (await Promise.all(services.map(scrape))).flat().filter(({ name }) => name.startsWith('fave_'));
    const labels = samples.flatMap((sample) => Object.entries(sample.labels));
    const odd = labels.filter(([name, value]) => name !== 'le' && !values[name]?.includes(value));
    expect(labels.length).toBeGreaterThan(500);
    expect(Object.fromEntries(odd)).toEqual({});
  });

  it('counts one cold start per stage with all its parts', async () => {
    const parts = Object.fromEntries(values['part']!.map((part) => [part, 1]));
    for (const { name: stage } of graph.stages) {
      const samples = await scrape(services.find(({ name }) => name === stage)!);
      expect(valuesOf(samples, 'fave_cold_starts_total', { stage }), stage).toEqual({ '': 1 });
      expect(valuesOf(samples, 'fave_cold_start_seconds_count', { stage }), stage).toEqual(parts);
    }
  });
});

/**
 * Returns the operands of an alert expression without comparisons, `absent` and long ranges, which a new Prometheus cannot
 * answer.
 */
function compared(expr: string): string[] {
  return expr.split(/ (?:(?:and|or|unless)(?: on \([^()]*\))?|!=) (?!\d)/).map((operand) =>
    operand
      .replaceAll(/ (?:[<>]=?|[!=]=) \d+(?:\.\d+)?/g, '')
      .replaceAll(/absent\(([^()]*)\)/g, '$1')
      .replaceAll(/\[(\w+):1m\]/g, '[$1:1s]'),
  );
}

describe('Prometheus', () => {
  const panels = Object.values(rows).flat();
  it.each(panels)('returns data for the panel "$title"', async ({ expr }) => {
    const found = await waitUntil(async () => {
      const series = await query(expr.replaceAll('RATE', '5m'));
      return series.some(({ value }) => Number.isFinite(value)) && series;
    });
    expect(found.length).toBeGreaterThan(0);
  });

  const { groups } = parse(readFileSync('infra/observe/alerts.yml', 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  it.each(groups.flatMap(({ rules }) => rules))('returns data for the operands of $alert', async ({ expr }) => {
    for (const operand of compared(expr))
      await waitUntil(async () => (await query(operand)).some(({ value }) => Number.isFinite(value)));
  });

  it('evaluates every rule without an error and fires alerts only for failures', async () => {
    // One request failed; nothing else did.
    const due = ['FaveDeadLetters', 'FaveRequestsFail'];
    await waitUntil(async () => (await query(`ALERTS{alertname=~"${due.join('|')}",alertstate="firing"}`)).length === due.length);
    type Rules = { data: { groups: { rules: { name: string; health: string; state: string }[] }[] } };
    const rules = await waitUntil(async () => {
      const { data } = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as Rules;
      const all = data.groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    const firing = rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
    expect(firing.sort()).toEqual(due);
  });
});
