import type { RequestState, ItemEvent, RequestError, StageState } from '../../schemas/generated/types.ts';
import type { Kind } from '../../schemas/kinds.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { RequestEvent } from '../bus/request-events.ts';

/** A run of a request, as its events tell it. Only sets and sums: duplicates and order of events make no difference. */
export interface RunState {
  readonly requestId: string;
  readonly run: number;
  accepted?: RequestState;
  readonly stages: Map<string, StageRun>;
  /** Items that are listed and not settled. */
  open: number;
  /** Paths of announced objects, by kind. */
  readonly outputs: Map<string, Set<string>>;
}

interface StageRun {
  /** Items that producers listed, or a redrive. */
  readonly listed: Set<string>;
  /** Of each item that has ended, the end that counts. */
  readonly settled: Map<string, Settled>;
  /** Of each item every end that was told, by the sequence of the message that failed; 0: an end that stands whatever is redriven. */
  readonly ends: Map<string, Map<number, Settled>>;
  /** Sequences of messages whose failure no longer counts, by item: it was given to the stage again. */
  readonly redriven: Map<string, Set<number>>;
}

/** `time`: when, ISO 8601. */
type Settled = Pick<ItemEvent, 'outcome' | 'duration_ms' | 'queue_ms' | 'cost_unit' | 'cold_start' | 'error'> & {
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
export function reduceAccepted(state: RunState, accepted: RequestState, graph: Graph): void {
  if (state.accepted) return;
  state.accepted = accepted;
  list(state, accepted.announced ?? [], graph);
}

/** Takes in that an item is settled, at `time`. Its cost depends on that item's outputs alone. */
export function reduceProgress(state: RunState, progress: ItemEvent, time: string, graph: Graph): void {
  const { item, outcome, duration_ms, queue_ms, cost_unit, cold_start, error, sequence = 0 } = progress;
  const end: Settled = { outcome, duration_ms, queue_ms, cost_unit, cold_start, time, ...(error && { error }) };
  const stage = stageRun(state, progress.stage);
  change(state, stage, item, () => {
    const ends = entry(stage.ends, item, () => new Map<number, Settled>());
    const before = ends.get(sequence);
    if (!before || saysMore(end, before)) ends.set(sequence, end);
  });
  // Also of an event that does not count: what it lists has landed, and is worked on.
  list(state, progress.outputs, graph);
}

/** Takes in that items which had failed were given to their stages again: until they end once more the run goes on. */
export function reduceRedriven(state: RunState, redriven: RequestState['redriven'] = []): void {
  for (const { stage: name, item, sequence } of redriven) {
    const stage = stageRun(state, name);
    change(state, stage, item, () => {
      stage.listed.add(item);
      entry(stage.redriven, item, () => new Set<number>()).add(sequence);
    });
  }
}

/** Takes in whatever was told of the run. */
export function reduceEvent(state: RunState, event: RequestEvent, graph: Graph): void {
  if (event.what === 'item') reduceProgress(state, event.data, event.time, graph);
  else if (event.name === 'accepted') reduceAccepted(state, event.data, graph);
  else if (event.name === 'redriven') reduceRedriven(state, event.data.redriven);
}

/** Changes what is known of an item, and what follows from that: the end that counts, and whether the item is open. */
function change(state: RunState, { listed, settled, ends, redriven }: StageRun, item: string, make: () => void): void {
  const isOpen = (): boolean => listed.has(item) && !settled.has(item);
  const before = isOpen();
  make();
  const counting = [...(ends.get(item) ?? [])].filter(([sequence]) => !redriven.get(item)?.has(sequence)).map(([, end]) => end);
  if (counting.length === 0) settled.delete(item);
  else
    settled.set(
      item,
      counting.reduce((one, other) => (saysMore(other, one) ? other : one)),
    );
  state.open += Number(isOpen()) - Number(before);
}

/** A total order, so that the order of arrival makes no difference: the higher rank, else the earlier. */
function saysMore(one: Settled, other: Settled): boolean {
  const more = RANK[one.outcome] - RANK[other.outcome];
  return more > 0 || (more === 0 && one.time < other.time);
}

/** Every stage that consumes a listed object has an item more to settle. */
function list(state: RunState, outputs: ItemEvent['outputs'], graph: Graph): void {
  for (const { kind, item, key } of outputs) {
    entry(state.outputs, kind, () => new Set<string>()).add(key);
    for (const consumer of graph.consumersOf(kind)) {
      const stage = stageRun(state, consumer.name);
      change(state, stage, item, () => stage.listed.add(item));
    }
  }
}

function stageRun(state: RunState, name: string): StageRun {
  return entry(state.stages, name, () => ({ listed: new Set(), settled: new Map(), ends: new Map(), redriven: new Map() }));
}

/** What a map has under a key, made where it has nothing. */
function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** Whether everything that was listed is settled. An item lists its outputs in the event that settles it, so nothing can be missing. */
export function isFinished(state: RunState): boolean {
  return state.accepted !== undefined && state.open === 0;
}

/** The run as people and programs read it: the state file, and the data of the closing event. */
export function summarise(state: RunState, graph: Graph): RequestState {
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
