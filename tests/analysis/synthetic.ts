/** Synthetic cells with known effects: requests are sequential, and so are the stages of a request. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomOf } from '../../shared/core/random.ts';
import type { RecordedCell } from '../../analysis/data/study.ts';
import type { Cell, ColdStartParts, ItemRecord, LoadRecord, ScaleEvent, Snapshot } from '../../schemas/generated/types.ts';

export interface RegimePlan {
  /** Permanent replicas of each stage. */
  readonly replicas?: number;
  readonly idle_s?: number;
  /** Share of requests with one cold start, and its duration in ms. */
  readonly coldShare?: number;
  readonly coldMs?: number;
  /** Factor on the run time, by stage. */
  readonly slow?: Readonly<Record<string, number>>;
}

export interface Plan {
  readonly regimes: Readonly<Record<string, RegimePlan>>;
  /** Interval between requests by load, in seconds. */
  readonly loads: Readonly<Record<string, number>>;
  readonly repeats?: number;
  readonly requests?: number;
  readonly seed?: number;
  readonly platform?: Cell['platform'];
}

/** Run time of an item by stage, in ms. */
export const stageTimes = {
  'stage-ffmpeg-0': 400,
  'stage-librosa': 600,
  'stage-ffmpeg-1': 300,
  'stage-ffmpeg-2': 900,
  'stage-deepspeech': 1_500,
  'stage-object-detector': 800,
};
export const MEMORY_MB = 512;
/** Relative spread of run times within and between cells. */
const SPREAD = { within: 0.08, between: 0.02 };
const EPOCH = Date.parse('2026-01-01T00:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();

export function createSyntheticCells({
  regimes,
  loads,
  repeats = 4,
  requests = 40,
  seed = 1,
  platform = 'local',
}: Plan): RecordedCell[] {
  const random = randomOf(seed).next;
  return Object.entries(regimes).flatMap(([regime, plan]) =>
    Object.entries(loads).flatMap(([load, spacing]) =>
      Array.from({ length: repeats }, (_, n) =>
        syntheticRun({ platform, regime, load, repeat: n + 1, spacing, requests, plan, random }),
      ),
    ),
  );
}

interface One {
  readonly platform: Cell['platform'];
  readonly regime: string;
  readonly load: string;
  readonly repeat: number;
  readonly spacing: number;
  readonly requests: number;
  readonly plan: RegimePlan;
  readonly random: () => number;
}

function syntheticRun(one: One): RecordedCell {
  const { platform, regime, load, repeat, spacing, plan, random } = one;
  const { replicas = 1 } = plan;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const mood = Math.exp(SPREAD.between * normal());
  const end = EPOCH + one.requests * spacing * 1_000;
  const requests: LoadRecord[] = [];
  const items: ItemRecord[] = [];
  const scaling: ScaleEvent[] = [];
  const names = Object.keys(stageTimes);
  for (const stage of names)
    for (let n = 1; n <= replicas; n += 1)
      scaling.push({ time: iso(EPOCH - 1_000), stage, event: 'started', replica: `${stage}-${n}` });

  for (let index = 0; index < one.requests; index += 1) {
    const intended = EPOCH + index * spacing * 1_000;
    const id = `${regime}-${load}-${repeat}-${index}`;
    const coldStage = random() < (plan.coldShare ?? 0) ? names[Math.floor(random() * names.length)] : undefined;
    let now = intended + 20;
    const own: ItemRecord[] = [];
    for (const [stage, typical] of Object.entries(stageTimes)) {
      const cold = stage === coldStage;
      const queue = 5 + (cold ? (plan.coldMs ?? 0) : 0);
      const duration = Math.round(typical * (plan.slow?.[stage] ?? 1) * mood * Math.exp(SPREAD.within * normal()));
      now += queue;
      if (cold) scaling.push(...coldReplica(stage, `${stage}-${id}`, now, now + duration, plan.coldMs ?? 0));
      now += duration;
      own.push(item({ time: iso(now), request_id: id, stage, queue_ms: queue, duration_ms: duration, cold_start: cold }));
    }
    items.push(...own);
    requests.push(request({ id, index, intended, completed: now, items: own }));
  }
  const cell = cellOf(one, { began: iso(EPOCH), ended: iso(end) });
  return {
    name: `${platform}/${regime}/${load}/${repeat}`,
    cell,
    requests,
    items,
    scaling,
    snapshots: snapshots(EPOCH, end, replicas),
  };
}

/** Returns the scale events of a replica that processes one item. */
function coldReplica(stage: string, replica: string, begun: number, gone: number, total: number): ScaleEvent[] {
  const share = (of: number): number => total * of;
  const parts: ColdStartParts = {
    decision_ms: share(0.4),
    spawn_ms: share(0.05),
    imports_ms: share(0.25),
    connections_ms: share(0.1),
    model_ms: share(0.15),
    first_item_ms: share(0.05),
  };
  return [
    { time: iso(begun - total), stage, event: 'decision', from: 0, to: 1, lag: 1, reason: 'one item waits' },
    { time: iso(begun - total * 0.6), stage, event: 'started', replica },
    { time: iso(begun), stage, event: 'first-item', replica, cold_start: parts },
    { time: iso(gone), stage, event: 'stopped', replica },
  ];
}

const costOf = (ms: number): number => ((ms / 1_000) * MEMORY_MB) / 1_024;

function item(values: Pick<ItemRecord, 'time' | 'request_id' | 'stage' | 'queue_ms' | 'duration_ms' | 'cold_start'>): ItemRecord {
  return { ...values, item: 'input', outcome: 'done', deliveries: 1, cost_unit: costOf(values.duration_ms) };
}

interface Made {
  readonly id: string;
  readonly index: number;
  readonly intended: number;
  readonly completed: number;
  readonly items: readonly ItemRecord[];
}

function request({ id, index, intended, completed, items }: Made): LoadRecord {
  const total = (of: (item: ItemRecord) => number): number => items.reduce((all, each) => all + of(each), 0);
  return {
    request_id: id,
    index,
    video: 'walk-and-talk.mp4',
    size: 1_598_720,
    intended: iso(intended),
    sent: iso(intended + 1),
    uploaded: iso(intended + 15),
    accepted: iso(intended + 18),
    completed: iso(completed),
    status: 'completed',
    latency_ms: completed - intended,
    late_ms: 1,
    errors: 0,
    cold_starts: total(({ cold_start }) => Number(cold_start)),
    cost_unit: total(({ cost_unit }) => cost_unit),
    stages: {},
  };
}

function snapshots(from: number, to: number, replicas: number): Snapshot[] {
  const stage = { replicas, ready: replicas, lag: 0, rss_mb: 90 * replicas };
  const stages = Object.fromEntries(Object.keys(stageTimes).map((name) => [name, stage]));
  return Array.from({ length: Math.ceil((to - from) / 5_000) }, (_, n) => ({ time: iso(from + n * 5_000), cpu: 0.4, stages }));
}

function cellOf({ platform, regime, load, repeat, requests, spacing, plan }: One, times: Pick<Cell, 'began' | 'ended'>): Cell {
  const scaling = { min: plan.replicas ?? 1, max: 4, lag_target: 1, idle_s: plan.idle_s ?? 30, memory_mb: MEMORY_MB };
  return {
    platform,
    regime,
    load,
    repeat,
    seed: repeat,
    status: 'finished',
    command: `npm run study -- --regime ${regime} --load ${load} --repeat ${repeat}`,
    ...times,
    settings: { polling_s: 1, stages: Object.fromEntries(Object.keys(stageTimes).map((stage) => [stage, scaling])) },
    arrivals: { pattern: load, rate: 1 / spacing, duration_s: requests * spacing, count: requests },
    video: { name: 'walk-and-talk.mp4', sha256: '2bfcb6639c42', size: 1_598_720, duration_s: 54 },
    machine: { cpu: 'synthetic', cores: 2, memory_mb: 8_192, os: 'linux' },
    versions: { fave: 'synthetic', node: 'v20' },
    storage: { bytes: 1_000_000, objects: 100, by_prefix: {} },
    anomalies: [],
  };
}

/** Writes runs as a study writes them. */
export async function writeCells(directory: string, runs: readonly RecordedCell[]): Promise<void> {
  const jsonl = (records: readonly unknown[]): string => records.map((each) => `${JSON.stringify(each)}\n`).join('');
  for (const { cell, requests, items, scaling, snapshots } of runs) {
    const platform = cell.platform === 'kubernetes' ? 'kubernetes' : '.';
    const file = (name: string): string => join(directory, platform, cell.regime, cell.load, String(cell.repeat), name);
    await mkdir(dirname(file('cell.json')), { recursive: true });
    await writeFile(file('requests.jsonl'), jsonl(requests));
    await writeFile(file('items.jsonl'), jsonl(items));
    await writeFile(file('scale.jsonl'), jsonl(scaling));
    await writeFile(file('snapshots.jsonl'), jsonl(snapshots));
    await writeFile(file('cell.json'), `${JSON.stringify(cell, undefined, 2)}\n`);
  }
}
