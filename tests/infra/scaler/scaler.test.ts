import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import type { ServiceProcessSpec } from '../../../infra/process/supervisor.ts';
import { scaleEventLogPath, createScaleEventLog } from '../../../infra/scaler/scale-event-log.ts';
import { createReplicas } from '../../../infra/scaler/replicas.ts';
import { createScaler, type Scaler, type ScalerOptions } from '../../../infra/scaler/scaler.ts';
import type { ScaleEvent, StageScaling } from '../../../schemas/generated/types.ts';
import { consumerName, streams } from '../../../shared/bus/topology.ts';
import { validate } from '../../../shared/core/validate.ts';
import { requestMetadata, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { heldGraph as graph } from './fixture/graph.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const stage = 'uppercase';
/** Acknowledgement timeout, in seconds: short, so that items of a killed replica are redelivered soon. */
const ACK_WAIT = 5;
let stack: Stack;
const programs = createTempDir();
let dataDir: string;
let scaler: Pick<Scaler, 'running' | 'stop'> | undefined;

beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'tracker', 'split-lines'], ACK_WAIT);
  await bundle({ worker: join(import.meta.dirname, 'fixture', 'worker.ts') }, programs);
});
beforeEach(() => {
  dataDir = createTempDir();
});
afterEach(async () => {
  await scaler?.stop(0);
  scaler = undefined;
});

const spec = (number: number): ServiceProcessSpec => ({
  name: stage,
  services: [stage],
  command: process.execPath,
  args: [join(programs, 'worker.mjs')],
  env: {
    PATH: process.env['PATH'] ?? '',
    TMPDIR: process.env['TMPDIR'] ?? '',
    ...stack.environment,
    FAVE_ACK_WAIT_SECONDS: String(ACK_WAIT),
    FAVE_TMPDIR: dataDir,
  },
  cwd: dataDir,
  log: join(dataDir, `${stage}-${number}.log`),
});

async function scaled(scaling: Partial<StageScaling>, overrides: Partial<ScalerOptions> = {}): Promise<void> {
  const settings = { min: 0, max: 3, lag_target: 1, idle_s: 1, memory_mb: 512, ...scaling };
  const created = createScaler({
    stages: [graph.stage(stage)],
    settings: { polling_s: 0.2, stages: { [stage]: settings } },
    hpa: { hpa_sync_s: 0.5, tolerance: 0.1 },
    bus: stack.config.bus,
    dataDir,
    spec: (_, number) => spec(number),
    progress: () => undefined,
    onChange: () => undefined,
    drainSeconds: 60,
    ...overrides,
  });
  scaler = created;
  await created.start();
}

/** Returns the events so far, each validated. */
async function readEvents(): Promise<ScaleEvent[]> {
  const text = await readFile(scaleEventLogPath(dataDir), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => validate('scaleEvent', JSON.parse(line)));
}

/** Waits for an event that matches. */
const waitForEvent = (event: ScaleEvent['event'], is: (of: ScaleEvent) => boolean = () => true): Promise<ScaleEvent> =>
  vi.waitUntil<ScaleEvent | undefined>(async () => (await readEvents()).find((of) => of.event === event && is(of)), WAIT);

const replicasOf = (events: readonly ScaleEvent[], event: ScaleEvent['event']): (string | undefined)[] =>
  events.filter((of) => of.event === event).map(({ replica }) => replica);

it('scales from zero to one on an upload and back after the idle time', async () => {
  await scaled({});
  const request = requestMetadata(stack, uniqueId());
  await request.put(`${request.id}\n`);
  expect((await request.ended()).errors ?? []).toEqual([]);
  const { cold_start } = await waitForEvent('first-item');
  await waitForEvent('stopped');
  const events = await readEvents();
  expect(events.filter(({ event }) => event === 'decision')).toMatchObject([
    { from: 0, to: 1, lag: 1, reason: 'an item is queued and no replica is running' },
    { from: 1, to: 0, lag: 0, reason: 'no item for 1 s' },
  ]);
  expect(new Set(events.flatMap(({ replica }) => replica ?? []))).toEqual(new Set(['uppercase-1']));
  expect(replicasOf(events, 'ready')).toEqual(['uppercase-1']);
  expect(cold_start?.imports_ms).toBeGreaterThan(0);
  expect(cold_start?.connections_ms).toBeGreaterThan(0);
  expect(scaler?.running()).toEqual([]);
  const [progress] = await request.progress(stage);
  expect(progress).toMatchObject({ cold_start: true, deliveries: 1 });
});

it('scales a burst to the maximum and removes idle replicas first', async () => {
  const request = requestMetadata(stack, uniqueId());
  const held = [1, 2, 3, 4, 5].map((n) => join(dataDir, `release-${n}`));
  await request.put(`${held.join('\n')}\n`);
  const waiting = async (): Promise<number> =>
    (await stack.bus.manager.consumers.info(streams.landed, consumerName(stage, 'first'))).num_pending;
  await vi.waitUntil(async () => (await waiting()) === held.length, WAIT);
  await scaled({ max: 3 });
  expect(await waitForEvent('decision', ({ to }) => to === 3)).toMatchObject({ from: 1, lag: 5 });
  const busy = await vi.waitUntil(async () => {
    const begun = replicasOf(await readEvents(), 'first-item');
    return begun.length === 3 && begun;
  }, WAIT);
  const [first, ...rest] = held;
  await Promise.all(rest.map((path) => writeFile(path, '')));
  await waitForEvent('decision', ({ from = 0, to }) => from > 1 && to === 1);
  const gone = await vi.waitUntil(async () => {
    const stopped = replicasOf(await readEvents(), 'stopped');
    return stopped.length === 2 && stopped;
  }, WAIT);
  expect(scaler?.running()).toHaveLength(1);
  await writeFile(first ?? '', '');
  expect((await request.ended()).errors ?? []).toEqual([]);
  expect((await request.progress(stage)).map(({ deliveries }) => deliveries)).toEqual([1, 1, 1, 1, 1]);
  const events = await readEvents();
  expect(replicasOf(events, 'started')).toEqual(['uppercase-1', 'uppercase-2', 'uppercase-3']);
  expect(busy).toEqual(expect.arrayContaining(gone));
  expect(events.filter(({ to = 0 }) => to > 3)).toEqual([]);
});

it('finishes the item of a replica that is scaled down', async () => {
  const log = createScaleEventLog(dataDir);
  const common = { progress: () => undefined, onChange: () => undefined };
  const replicas = createReplicas({ ...common, stage, spec, events: log, drainMs: 60_000 });
  scaler = { running: replicas.running, stop: (graceMs) => replicas.close(graceMs).then(log.written) };
  const request = requestMetadata(stack, uniqueId());
  const release = join(dataDir, 'release');
  await request.put(`${release}\n`);
  await replicas.scaleTo(1, { decided: Date.now(), waited: 0 });
  await waitForEvent('first-item');
  await replicas.scaleTo(0, { decided: Date.now(), waited: 0 });
  // One that takes over is another one, beside the one that finishes its item.
  await replicas.scaleTo(1, { decided: Date.now(), waited: 0 });
  await waitForEvent('ready', ({ replica }) => replica === 'uppercase-2');
  expect(replicas.running()).toHaveLength(2);
  expect(replicasOf(await readEvents(), 'stopped')).toEqual([]);
  await writeFile(release, '');
  await waitForEvent('stopped', ({ replica }) => replica === 'uppercase-1');
  expect((await request.ended()).errors ?? []).toEqual([]);
  expect(await request.progress(stage)).toMatchObject([{ deliveries: 1, cold_start: true, outcome: 'done' }]);
});

it('restarts a killed replica and completes its item', async () => {
  await scaled({ idle_s: 60 });
  const request = requestMetadata(stack, uniqueId());
  const release = join(dataDir, 'release');
  await request.put(`${release}\n`);
  await waitForEvent('first-item');
  process.kill(scaler?.running()[0]?.current()?.pid ?? 0, 'SIGKILL');
  await waitForEvent('crashed', ({ replica }) => replica === 'uppercase-1');
  await waitForEvent('ready', ({ replica }) => replica === 'uppercase-2');
  await writeFile(release, '');
  expect((await request.ended()).errors ?? []).toEqual([]);
  await waitForEvent('first-item', ({ replica }) => replica === 'uppercase-2');
});

it('retries the start of a replica', async () => {
  const [command, lines]: [string, string[]] = [join(dataDir, 'program'), []];
  await scaled({}, { spec: (_, number) => ({ ...spec(number), command }), progress: (line) => lines.push(line) });
  const request = requestMetadata(stack, uniqueId());
  await request.put(`${request.id}\n`);
  await vi.waitUntil(() => lines.some((line) => line.includes('cannot be started')), WAIT);
  await symlink(process.execPath, command);
  expect((await request.ended()).errors ?? []).toEqual([]);
});
