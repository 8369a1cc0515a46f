import type { RequestState, ItemEvent, RequestError, StageState } from '../../schemas/generated/types.ts';
import type { Kind } from '../../schemas/kinds.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { RequestEvent } from '../bus/request-events.ts';

/** A run of a request, derived from its events. It consists of sets and maxima, so duplicates and the order of events have no effect. */
export interface RunState {
  readonly requestId: string;
  readonly run: number;
  accepted?: RequestState;
  readonly stages: Map<string, StageRun>;
  /** Number of items that are listed and not settled. */
  open: number;
  /** Sums over the settled items that count: size of the outputs in bytes, and duration in milliseconds. */
  outputBytes: number;
  workMs: number;
  /** Paths of announced objects by kind. */
  readonly outputs: Map<string, Set<string>>;
}

interface StageRun {
  /** Items that a producer or a redrive listed. */
  readonly listed: Set<string>;
  /** The outcome that counts, by item. */
  readonly settled: Map<string, Settled>;
  /** All reported outcomes by item and by the sequence of the failed message; 0 for outcomes that no redrive can undo. */
  readonly ends: Map<string, Map<number, Settled>>;
  /** Sequences of messages whose failure was redriven and no longer counts, by item. */
  readonly redriven: Map<string, Set<number>>;
  /** Outputs of items that no producer has listed yet. They count when the item is listed. */
  readonly unlistedOutputs: Map<string, ItemEvent['outputs']>;
}

/** `time`: ISO 8601. */
type Settled = Pick<ItemEvent, 'outcome' | 'duration_ms' | 'queue_ms' | 'cost_unit' | 'cold_start' | 'output_bytes' | 'error'> & {
  readonly time: string;
};

/** Rank of outcomes. The highest of several events about one item counts: a late `done` replaces `failed`. */
const RANK: Readonly<Record<Settled['outcome'], number>> = { failed: 0, skipped: 1, reused: 2, done: 3 };

/** Limits of the errors in a summary, which must fit into one message of the bus. The receipts contain the whole errors. */
const MAX_LISTED_ERRORS = 100;
const MAX_LISTED_ERROR_BYTES = 256 * 1024;
const MAX_MESSAGE_LENGTH = 1_000;

/** Creates the state of a run without events. */
export function createRunState(requestId: string, run: number): RunState {
  return { requestId, run, stages: new Map(), open: 0, outputBytes: 0, workMs: 0, outputs: new Map() };
}

/** Applies the start of the run. Its cost does not depend on the size of the run. */
export function reduceAccepted(state: RunState, accepted: RequestState, graph: Graph): void {
  if (state.accepted) return;
  state.accepted = accepted;
  listOutputs(state, accepted.announced ?? [], graph);
}

/**
 * Applies the outcome of an item at `time`. Its cost depends only on the outputs of that item. Ignores outputs of kinds that the
 * stage does not produce, and of items that no producer lists, so that a faulty stage cannot keep the run open.
 */
export function reduceProgress(state: RunState, progress: ItemEvent, time: string, graph: Graph): void {
  const { item, outcome, duration_ms, queue_ms, cost_unit, cold_start, output_bytes = 0, error, sequence = 0 } = progress;
  const produced = graph.stages.find(({ name }) => name === progress.stage)?.produces;
  if (!produced) return;
  const end: Settled = { outcome, duration_ms, queue_ms, cost_unit, cold_start, output_bytes, time, ...(error && { error }) };
  const stage = stageRun(state, progress.stage);
  updateItem(state, stage, item, () => {
    const ends = getOrCreate(stage.ends, item, () => new Map<number, Settled>());
    const before = ends.get(sequence);
    if (!before || outranks(end, before)) ends.set(sequence, end);
  });
  // Outputs of an outcome that does not count have landed as well and are processed.
  const outputs = progress.outputs.filter(({ kind }) => produced.some(({ name }) => name === kind));
  if (stage.listed.has(item)) listOutputs(state, outputs, graph);
  else stage.unlistedOutputs.set(item, [...(stage.unlistedOutputs.get(item) ?? []), ...outputs]);
}

/** Applies a redrive: the run stays open until the redriven items are settled again. */
export function reduceRedriven(state: RunState, redriven: RequestState['redriven'] = [], graph: Graph): void {
  for (const { stage: name, item, sequence } of redriven) {
    const stage = stageRun(state, name);
    updateItem(state, stage, item, () => {
      getOrCreate(stage.redriven, item, () => new Set<number>()).add(sequence);
    });
    listItem(state, stage, item, graph);
  }
}

/** Applies any event of the run. */
export function reduceEvent(state: RunState, event: RequestEvent, graph: Graph): void {
  if (event.type === 'item') reduceProgress(state, event.data, event.time, graph);
  else if (event.name === 'accepted') reduceAccepted(state, event.data, graph);
  else if (event.name === 'redriven') reduceRedriven(state, event.data.redriven, graph);
}

/** Changes an item, then updates the outcome that counts, the number of open items and the sums. */
function updateItem(state: RunState, { listed, settled, ends, redriven }: StageRun, item: string, apply: () => void): void {
  const add = (sign: 1 | -1): void => {
    if (!listed.has(item)) return;
    const { output_bytes = 0, duration_ms = 0 } = settled.get(item) ?? {};
    state.open += sign * Number(!settled.has(item));
    state.outputBytes += sign * output_bytes;
    state.workMs += sign * Math.round(duration_ms);
  };
  add(-1);
  apply();
  const counting = [...(ends.get(item) ?? [])].filter(([sequence]) => !redriven.get(item)?.has(sequence)).map(([, end]) => end);
  if (counting.length === 0) settled.delete(item);
  else
    settled.set(
      item,
      counting.reduce((one, other) => (outranks(other, one) ? other : one)),
    );
  add(1);
}

/** Total order of outcomes, so that the order of arrival has no effect: the higher rank, then the earlier time. */
function outranks(one: Settled, other: Settled): boolean {
  const more = RANK[one.outcome] - RANK[other.outcome];
  return more > 0 || (more === 0 && one.time < other.time);
}

/** Adds an item to every stage that consumes a listed object. */
function listOutputs(state: RunState, outputs: ItemEvent['outputs'], graph: Graph): void {
  for (const { kind, item, key } of outputs) {
    getOrCreate(state.outputs, kind, () => new Set<string>()).add(key);
    for (const { name } of graph.consumersOf(kind)) listItem(state, stageRun(state, name), item, graph);
  }
}

function listItem(state: RunState, stage: StageRun, item: string, graph: Graph): void {
  updateItem(state, stage, item, () => stage.listed.add(item));
  const outputs = stage.unlistedOutputs.get(item);
  stage.unlistedOutputs.delete(item);
  if (outputs) listOutputs(state, outputs, graph);
}

function stageRun(state: RunState, name: string): StageRun {
  return getOrCreate(state.stages, name, createStageRun);
}

function createStageRun(): StageRun {
  return { listed: new Set(), settled: new Map(), ends: new Map(), redriven: new Map(), unlistedOutputs: new Map() };
}

/** Returns the settled items that a producer has listed. */
function settledItems({ listed, settled }: StageRun): [item: string, Settled][] {
  return [...settled].filter(([item]) => listed.has(item));
}

/** Returns the value of a key; creates it if the map has none. */
function getOrCreate<T>(map: Map<string, T>, key: string, create: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

/** Returns whether all listed items are settled. The event that settles an item lists its outputs, so no item can be missing. */
export function isFinished(state: RunState): boolean {
  return state.accepted !== undefined && state.open === 0;
}

/** Returns the request state: the content of the state file and the data of the event that closes the run. */
export function summarise(state: RunState, graph: Graph): RequestState {
  const stages = stageStates(state, graph);
  const all = Object.values(stages);
  const finished = isFinished(state);
  const acceptedAt = state.accepted?.accepted_at;
  const finishedAt = [...state.stages.values()]
    .flatMap(settledItems)
    .reduce((last, [, { time }]) => (time > last ? time : last), '');
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
    errors: listErrors(state),
  };
}

/** Whether the run has a usable result: a stage whose outputs no stage consumes has an item that did not fail. */
function isUsable(state: RunState, graph: Graph): boolean {
  const ends = graph.stages.filter(({ produces }) => produces.every((kind: Kind) => graph.consumersOf(kind.name).length === 0));
  return ends.some(({ name }) =>
    settledItems(state.stages.get(name) ?? createStageRun()).some(([, { outcome }]) => outcome !== 'failed'),
  );
}

function stageStates(state: RunState, graph: Graph): Record<string, StageState> {
  const complete = new Map<string, boolean>();
  const isComplete = (name: string): boolean => {
    const cached = complete.get(name);
    if (cached !== undefined) return cached;
    const stage = graph.stage(name);
    const producers = graph.stages.filter(({ produces }) => produces.includes(stage.consumes));
    const { listed, settled } = state.stages.get(name) ?? createStageRun();
    const is =
      state.accepted !== undefined &&
      producers.every((producer) => isComplete(producer.name)) &&
      [...listed].every((item) => settled.has(item));
    complete.set(name, is);
    return is;
  };
  return Object.fromEntries(
    graph.stages.map(({ name }) => {
      const run = state.stages.get(name) ?? createStageRun();
      const items = settledItems(run).map(([, end]) => end);
      const count = (outcome: Settled['outcome']): number => items.filter((item) => item.outcome === outcome).length;
      return [
        name,
        {
          expected: run.listed.size,
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

function listErrors(state: RunState): RequestError[] {
  const errors: RequestError[] = [];
  for (const [stage, run] of state.stages) {
    for (const [item, { error }] of settledItems(run))
      if (error) errors.push({ stage, item, ...error, message: error.message.slice(0, MAX_MESSAGE_LENGTH) });
  }
  let bytes = 0;
  return errors
    .sort((a, b) => (`${String(a.stage)} ${String(a.item)}` < `${String(b.stage)} ${String(b.item)}` ? -1 : 1))
    .slice(0, MAX_LISTED_ERRORS)
    .filter((error) => (bytes += Buffer.byteLength(JSON.stringify(error))) <= MAX_LISTED_ERROR_BYTES);
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], name: K): number {
  return Math.round(items.reduce((total, item) => total + item[name], 0) * 1e6) / 1e6;
}
