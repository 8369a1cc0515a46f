import type { Lifecycle, Progress, RequestError, StageState } from '../../schemas/generated/types.ts';
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
  /** When the last item was settled, ISO 8601. */
  lastSettled: string;
}

interface StageRun {
  /** Items that producers listed. */
  readonly listed: Set<string>;
  readonly settled: Map<string, Settled>;
}

type Settled = Pick<Progress, 'outcome' | 'duration_ms' | 'queue_ms' | 'cost_unit' | 'cold_start' | 'error'>;

/** Errors that a summary lists. */
const LISTED_ERRORS = 100;

export function newRun(requestId: string, run: number): RunState {
  return { requestId, run, stages: new Map(), open: 0, outputs: new Map(), lastSettled: '' };
}

/** Takes in that the run began. Its cost does not depend on the size of the run. */
export function reduceAccepted(state: RunState, accepted: Lifecycle, graph: Graph): void {
  if (state.accepted) return;
  state.accepted = accepted;
  list(state, accepted.announced ?? [], graph);
}

/** Takes in that an item is settled, at `time`. Its cost depends on that item's outputs alone. A late `done` beats `failed`. */
export function reduceProgress(state: RunState, progress: Progress, time: string, graph: Graph): void {
  const stage = stageRun(state, progress.stage);
  const before = stage.settled.get(progress.item);
  if (before && (before.outcome !== 'failed' || progress.outcome === 'failed')) return;
  if (!before && stage.listed.has(progress.item)) state.open -= 1;
  const { outcome, duration_ms, queue_ms, cost_unit, cold_start, error } = progress;
  stage.settled.set(progress.item, { outcome, duration_ms, queue_ms, cost_unit, cold_start, ...(error && { error }) });
  if (time > state.lastSettled) state.lastSettled = time;
  list(state, progress.outputs, graph);
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
  return {
    request_id: state.requestId,
    run: state.run,
    status: finished ? (isUsable(state, graph) ? 'completed' : 'failed') : 'running',
    ...(state.accepted?.input !== undefined && { input: state.accepted.input }),
    ...(state.accepted?.options && { options: state.accepted.options }),
    ...(acceptedAt !== undefined && { accepted_at: acceptedAt }),
    ...(finished && acceptedAt !== undefined && { finished_at: state.lastSettled, duration_ms: Math.max(0, Date.parse(state.lastSettled) - Date.parse(acceptedAt)) }),
    cost_unit: sum(all, 'cost_unit'),
    cold_starts: sum(all, 'cold_starts'),
    stages,
    outputs: Object.fromEntries([...state.outputs].map(([kind, paths]) => [kind, paths.size])),
    errors: errorsOf(state),
  };
}

/** Something usable came out when there is at least one object of a kind that is a result: one that no stage consumes. */
function isUsable(state: RunState, graph: Graph): boolean {
  return [...state.outputs.keys()].some((kind) => graph.consumersOf(kind).length === 0);
}

function stageStates(state: RunState, graph: Graph): Record<string, StageState> {
  const complete = new Map<string, boolean>();
  const isComplete = (name: string): boolean => {
    const known = complete.get(name);
    if (known !== undefined) return known;
    const stage = graph.stage(name);
    const producers = graph.stages.filter(({ produces }) => produces.includes(stage.consumes));
    const { listed = new Set<string>(), settled = new Map<string, Settled>() } = state.stages.get(name) ?? {};
    const is = state.accepted !== undefined && producers.every((producer) => isComplete(producer.name)) && [...listed].every((item) => settled.has(item));
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
  return errors.sort((a, b) => (`${String(a.stage)} ${String(a.item)}` < `${String(b.stage)} ${String(b.item)}` ? -1 : 1)).slice(0, LISTED_ERRORS);
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], name: K): number {
  return Math.round(items.reduce((total, item) => total + item[name], 0) * 1e6) / 1e6;
}
