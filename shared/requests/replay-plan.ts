import type { Receipt, Request } from '../../schemas/generated/types.ts';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { PermanentError } from '../core/errors.ts';
import type { Graph } from '../pipeline/graph.ts';
import { itemId, metadataPaths, parseKey, pathOf, requestPrefix, type ParsedKey } from '../pipeline/keys.ts';
import { withDefaults, type OptionMap } from '../core/options.ts';
import type { AnyStage } from '../pipeline/stage.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';

/** What a replay is to do. At most one of `from` and `only`; neither: everything, from the input on. */
export interface ReplayScope {
  readonly from?: string;
  readonly only?: string;
  readonly force?: boolean;
}

/** What is to become of an item: `look` is decided when the stage before has made its source again. */
export interface PlannedItem {
  readonly stage: string;
  readonly item: string;
  readonly action: 'run' | 'skip' | 'undecided';
  readonly why: string;
}

/** An object that a run begins with. */
export interface InitialObject extends ParsedKey {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string | undefined;
}

export interface ReplayPlan {
  readonly begins: readonly InitialObject[];
  readonly items: readonly PlannedItem[];
  /** Paths of the receipts that must not be trusted. */
  readonly distrusted: readonly string[];
}

/** The objects of a request by path, from one listing. */
type Objects = ReadonlyMap<string, { readonly etag: string; readonly size: number }>;

/** What a stage is about to be given: an object as it is, or as the stage `after` will make it again. */
interface Source {
  readonly item: string;
  readonly etag: string;
  readonly after?: string;
}

/**
 * Foresees a replay from the receipts and the graph: which items would be worked on, which skipped, and why. Settings of the
 * stages' processes are not known here; an item made with others is worked on as well.
 * @throws PermanentError `no-initial-objects` where there is no object that the run could begin with.
 */
export async function planReplay(
  store: Store,
  graph: Graph,
  requestId: string,
  request: Request,
  choice: ReplayScope,
): Promise<ReplayPlan> {
  const prefix = requestPrefix(requestId);
  const objects = new Map<string, { etag: string; size: number }>();
  for await (const { key, etag, size } of store.list(prefix)) objects.set(key.slice(prefix.length), { etag, size });
  const begins = beginnings(graph, requestId, request, objects, choice);
  const forced = forcedStages(graph, choice);
  const items: PlannedItem[] = [];
  const distrusted = new Set<string>();
  for (const stage of forced) for (const path of objects.keys()) if (isReceiptOf(stage, path)) distrusted.add(path);

  const receiptOf = async (stage: string, item: string): Promise<Receipt | undefined> => {
    const path = metadataPaths.receipt(stage, item);
    if (!objects.has(path)) return undefined;
    const found = await store.getText(prefix + path);
    // What cannot be read vouches for nothing, here as in the worker.
    return found && tolerantly(() => parseJson('receipt', found.text));
  };

  const visit = async (kind: Kind, sources: readonly Source[]): Promise<void> => {
    for (const stage of graph.consumersOf(kind.name)) {
      const receipts = await mapConcurrently(sources, ({ item }) => receiptOf(stage.name, item));
      const planned = sources.map((source, n): PlannedItem => {
        const receipt = receipts[n];
        const reason = reasonToRun(stage, receipt, { source, options: request.options, objects, forced: forced.has(stage.name) });
        if (reason?.distrust) distrusted.add(metadataPaths.receipt(stage.name, source.item));
        const about = { stage: stage.name, item: source.item };
        if (reason) return { ...about, action: 'run', why: reason.why };
        if (source.after !== undefined) return { ...about, action: 'undecided', why: `${source.after} makes its source again` };
        return { ...about, action: 'skip', why: 'done' };
      });
      items.push(...planned);
      for (const produced of stage.produces) await visit(produced, nextSources(stage, produced, planned, receipts, objects));
    }
  };
  await visit(
    beginKind(graph, choice),
    begins.map(({ kind, indices, etag }) => ({ item: itemId(kind, indices), etag })),
  );
  return { begins, items, distrusted: [...distrusted] };
}

/** The kind of what a run begins with. @throws Error for an unknown stage. */
function beginKind(graph: Graph, { from, only }: ReplayScope): Kind {
  const stage = from ?? only;
  return stage === undefined ? kinds.input : graph.stage(stage).consumes;
}

function beginnings(graph: Graph, requestId: string, { input }: Request, objects: Objects, choice: ReplayScope): InitialObject[] {
  const kind = beginKind(graph, choice);
  if (kind === kinds.input) {
    // The admitted version: other files, and other content under its name, were rejected.
    const { file, etag, size, version_id: versionId } = input;
    return [{ requestId, path: pathOf(kind, { file }), kind, indices: {}, etag, size, versionId }];
  }
  const found = landed(requestId, kind, objects);
  if (found.length > 0) return found;
  throw new PermanentError(
    'no-initial-objects',
    `request ${requestId} has no ${kind.name} that ${String(choice.from ?? choice.only)} could begin with: replay it from an earlier stage`,
  );
}

/** The objects of a kind. */
function landed(requestId: string, kind: Kind, objects: Objects): InitialObject[] {
  return [...objects].flatMap(([path, object]) => {
    const key = parseKey(requestPrefix(requestId) + path, [kind]);
    return key ? [{ ...key, ...object }] : [];
  });
}

/** The stages of which nothing is trusted. */
function forcedStages(graph: Graph, { from, only, force = false }: ReplayScope): Set<string> {
  if (!force) return new Set(only === undefined ? [] : [only]);
  const forced = new Set<string>();
  const add = (stage: AnyStage): void => {
    forced.add(stage.name);
    for (const kind of stage.produces) graph.consumersOf(kind.name).forEach(add);
  };
  const first = from ?? only;
  (first === undefined ? graph.consumersOf(kinds.input.name) : [graph.stage(first)]).forEach(add);
  return forced;
}

function isReceiptOf(stage: string, path: string): boolean {
  return path.startsWith(metadataPaths.receipts(stage));
}

/** Why an item has to be worked on; undefined where its receipt vouches for it. `distrust`: the worker would not see that. */
export function reasonToRun(
  stage: AnyStage,
  receipt: Receipt | undefined,
  { source, options, objects, forced }: { source: Source; options: OptionMap; objects: Objects; forced: boolean },
): { why: string; distrust?: boolean } | undefined {
  if (forced) return { why: 'forced' };
  if (!receipt) return { why: 'no receipt' };
  if (receipt.outcome === 'failed') return { why: `failed: ${receipt.error?.code ?? 'unknown'}` };
  if (receipt.version !== stage.version) return { why: `stage version ${receipt.version} → ${stage.version}` };
  const chosen = Object.entries(withDefaults(stage.options ?? {}, options));
  const changed = chosen.filter(([name, value]) => (receipt.config as OptionMap)[name] !== value).map(([name]) => name);
  if (changed.length > 0) return { why: `options changed: ${changed.join(', ')}` };
  if (receipt.outputs.some(({ key, etag }) => objects.get(key)?.etag !== etag))
    return { why: 'an output is missing or changed', distrust: true };
  if (source.after === undefined && receipt.source.etag !== source.etag) return { why: 'source changed' };
  return undefined;
}

/** What the stages after will be given: outputs of what is skipped as they are, all others as they will be. */
function nextSources(
  stage: AnyStage,
  kind: Kind,
  planned: readonly PlannedItem[],
  receipts: readonly (Receipt | undefined)[],
  objects: Objects,
): Source[] {
  const sources = new Map<string, Source>();
  if (planned.some(({ action }) => action !== 'skip'))
    for (const { indices, etag } of landed('_', kind, objects))
      sources.set(itemId(kind, indices), { item: itemId(kind, indices), etag, after: stage.name });
  for (const [n, { action }] of planned.entries())
    for (const { kind: name, item, etag } of receipts[n]?.outputs ?? [])
      if (name === kind.name) sources.set(item, action === 'skip' ? { item, etag } : { item, etag, after: stage.name });
  return [...sources.values()];
}

function tolerantly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
