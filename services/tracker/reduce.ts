import type { Lifecycle, Progress, RequestError, StageState } from '../../schemas/generated/types.ts';
import type { Kind } from '../../schemas/kinds.ts';
import type { Graph } from '../../shared/graph.ts';

/** A run of a request, as its events tell it. Only sets and sums: duplicates and order of events make no difference. */
export interface RunState {
  readonly requestId: string;
  readonly run: number;
  accepted?: Lifecycle;
  readonly stages: Map<string, StageRun>;
  /** Items that are listed and not settled. */
  open: number;
  /** Paths of announced objects, by kind. */
  readonly outputs: Map<string, Set<string>>;
}

interface StageRun {
  /** Items that producers listed. */
  readonly listed: Set<string>;
  readonly settled: Map<string, Settled>;
}

/** `time`: when, ISO 8601. */
type Settled = Pick<Progress, 'outcome' | 'duration_ms' | 'queue_ms' | 'cost_unit' | 'cold_start' | 'error'> & {
  readonly time: string;
};

/** Of several events about one item the highest counts: a late `done` beats `failed`, and work done says more than work skipped. */
const RANK: Readonly<Record<Settled['outcome'], number>> = { failed: 0, skipped: 1, reused: 2, done: 3 };

/** Errors that a summary lists. */
const LISTED_ERRORS = 100;

export function newRun(requestId: string, run: number): RunState {
  return { requestId, run, stages: new Map(), open: 0, outputs: new Map() };
}

/** Takes in that the run began. Its cost does not depend on the size of the run. */
export function reduceAccepted(state: RunState, accepted: Lifecycle, graph: Graph): void {
  if (state.accepted) return;
  state.accepted = accepted;
  list(state, accepted.announced ?? [], graph);
}

/** Takes in that an item is settled, at `time`. Its cost depends on that item's outputs alone. */
export function reduceProgress(state: RunState, progress: Progress, time: string, graph: Graph): void {
  const stage = stageRun(state, progress.stage);
  const before = stage.settled.get(progress.item);
  if (!before && stage.listed.has(progress.item)) state.open -= 1;
  const { outcome, duration_ms, queue_ms, cost_unit, cold_start, error } = progress;
  const settled: Settled = { outcome, duration_ms, queue_ms, cost_unit, cold_start, time, ...(error && { error }) };
  if (!before || saysMore(settled, before)) stage.settled.set(progress.item, settled);
  // Also of an event that does not count: what it lists has landed, and is worked on.
  list(state, progress.outputs, graph);
}

/** A total order, so that the order of arrival makes no difference: the higher rank, else the earlier. */
function saysMore(one: Settled, other: Settled): boolean {
  const more = RANK[one.outcome] - RANK[other.outcome];
  return more > 0 || (more === 0 && one.time < other.time);
}

/** Every stage that consumes a listed object has an item more to settle. */
function list(state: RunState, outputs: Progress['outputs'], graph: Graph): void {
  for (const { kind, item, key } of outputs) {
    let paths = state.outputs.get(kind);
    if (!paths) state.outputs.set(kind, (paths = new Set()));
    paths.add(key);
    for (const consumer of graph.consumersOf(kind)) {
      const stage = stageRun(state, consumer.name);
      if (stage.listed.has(item)) continue;
      stage.listed.add(item);
      if (!stage.settled.has(item)) state.open += 1;
    }
  }
}

function stageRun(state: RunState, name: string): StageRun {
  let stage = state.stages.get(name);
  if (!stage) state.stages.set(name, (stage = { listed: new Set(), settled: new Map() }));
  return stage;
}

/** Whether everything that was listed is settled. An item lists its outputs in the event that settles it, so nothing can be missing. */
export function isFinished(state: RunState): boolean {
  return state.accepted !== undefined && state.open === 0;
}

/** The run as people and programs read it: the state file, and the data of the closing event. */
export function summarise(state: RunState, graph: Graph): Lifecycle {
  const stages = stageStates(state, graph);
  const all = Object.values(stages);
  const finished = isFinished(state);
  const acceptedAt = state.accepted?.accepted_at;
  const finishedAt = [...state.stages.values()]
    .flatMap(({ settled }) => [...settled.values()])
    .reduce((last, { time }) => (time > last ? time : last), '');
  return {
    request_id: state.requestId,
    run: state.run,
    status: finished ? (isUsable(state, graph) ? 'completed' : 'failed') : 'running',
    ...(state.accepted?.input !== undefined && { input: state.accepted.input }),
    ...(state.accepted?.options && { options: state.accepted.options }),
    ...(acceptedAt !== undefined && { accepted_at: acceptedAt }),
    ...(finished &&
      acceptedAt !== undefined && {
        finished_at: finishedAt,
        duration_ms: Math.max(0, Date.parse(finishedAt) - Date.parse(acceptedAt)),
      }),
    cost_unit: sum(all, 'cost_unit'),
    cold_starts: sum(all, 'cold_starts'),
    stages,
    outputs: Object.fromEntries([...state.outputs].map(([kind, paths]) => [kind, paths.size])),
    errors: errorsOf(state),
  };
}

/** Something usable came out when work came to an end of the pipeline: an item of a stage whose outputs no stage consumes did not fail. */
function isUsable(state: RunState, graph: Graph): boolean {
  const ends = graph.stages.filter(({ produces }) => produces.every((kind: Kind) => graph.consumersOf(kind.name).length === 0));
  return ends.some(({ name }) =>
    [...(state.stages.get(name)?.settled.values() ?? [])].some(({ outcome }) => outcome !== 'failed'),
  );
}

function stageStates(state: RunState, graph: Graph): Record<string, StageState> {
  const complete = new Map<string, boolean>();
  const isComplete = (name: string): boolean => {
    const known = complete.get(name);
    if (known !== undefined) return known;
    const stage = graph.stage(name);
    const producers = graph.stages.filter(({ produces }) => produces.includes(stage.consumes));
    const { listed = new Set<string>(), settled = new Map<string, Settled>() } = state.stages.get(name) ?? {};
    const is =
      state.accepted !== undefined &&
      producers.every((producer) => isComplete(producer.name)) &&
      [...listed].every((item) => settled.has(item));
    complete.set(name, is);
    return is;
  };
  return Object.fromEntries(
    graph.stages.map(({ name }) => {
      const { listed, settled } = state.stages.get(name) ?? { listed: new Set(), settled: new Map<string, Settled>() };
      const items = [...settled.values()];
      const count = (outcome: Settled['outcome']): number => items.filter((item) => item.outcome === outcome).length;
      return [
        name,
        {
          expected: listed.size,
          done: count('done'),
          reused: count('reused'),
          skipped: count('skipped'),
          failed: count('failed'),
          complete: isComplete(name),
          duration_ms: sum(items, 'duration_ms'),
          queue_ms: sum(items, 'queue_ms'),
          cost_unit: sum(items, 'cost_unit'),
          cold_starts: items.filter((item) => item.cold_start).length,
        },
      ];
    }),
  );
}

function errorsOf(state: RunState): RequestError[] {
  const errors: RequestError[] = [];
  for (const [stage, { settled }] of state.stages) {
    for (const [item, { error }] of settled) if (error) errors.push({ stage, item, ...error });
  }
  return errors
    .sort((a, b) => (`${String(a.stage)} ${String(a.item)}` < `${String(b.stage)} ${String(b.item)}` ? -1 : 1))
    .slice(0, LISTED_ERRORS);
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], name: K): number {
  return Math.round(items.reduce((total, item) => total + item[name], 0) * 1e6) / 1e6;
}
