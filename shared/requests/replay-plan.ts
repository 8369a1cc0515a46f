import type { Receipt, Request } from '../../schemas/generated/types.ts';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { PermanentError } from '../core/errors.ts';
import type { Graph } from '../pipeline/graph.ts';
import { itemId, metadataPaths, parseKey, pathOf, requestPrefix, type ParsedKey } from '../pipeline/keys.ts';
import { withDefaults, type OptionMap } from '../core/options.ts';
import type { AnyStage } from '../pipeline/stage.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';
import { undefinedIfInvalid } from '../bus/request-events.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';

/** Scope of a replay, with at most one of `from` and `only`. Without both, it starts at the input. */
export interface ReplayScope {
  readonly from?: string;
  readonly only?: string;
  readonly force?: boolean;
}

/** Planned action for an item. `undecided`: depends on the output of an earlier stage that runs again. */
export interface PlannedItem {
  readonly stage: string;
  readonly item: string;
  readonly action: 'run' | 'skip' | 'undecided';
  readonly why: string;
}

/** An object whose announcement starts a run. */
export interface InitialObject extends ParsedKey {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string | undefined;
}

export interface ReplayPlan {
  readonly initialObjects: readonly InitialObject[];
  readonly items: readonly PlannedItem[];
  /** Paths of receipts to remove: workers would accept them as valid. */
  readonly distrusted: readonly string[];
}

/** Objects of a request by path. */
type Objects = ReadonlyMap<string, { readonly etag: string; readonly size: number }>;

/** Source object of an item. `after`: name of the stage that will produce it again. */
interface Source {
  readonly item: string;
  readonly etag: string;
  readonly after?: string;
}

/**
 * Plans a replay from the receipts and the graph: which items run, which are skipped, and why. Settings of the stages'
 * processes are not known here; items that were made with other settings run as well.
 * @throws PermanentError `no-initial-objects` if the request lacks objects for the first stage.
 */
export async function planReplay(
  store: Store,
  graph: Graph,
  requestId: string,
  request: Request,
  scope: ReplayScope,
): Promise<ReplayPlan> {
  const prefix = requestPrefix(requestId);
  const objects = new Map<string, { etag: string; size: number }>();
  for await (const { key, etag, size } of store.list(prefix)) objects.set(key.slice(prefix.length), { etag, size });
  const initialObjects = findInitialObjects(graph, requestId, request, objects, scope);
  const forced = findForcedStages(graph, scope);
  const items: PlannedItem[] = [];
  const distrusted = new Set<string>();
  for (const stage of forced) for (const path of objects.keys()) if (isReceiptOf(stage, path)) distrusted.add(path);

  const readReceipt = async (stage: string, item: string): Promise<Receipt | undefined> => {
    const path = metadataPaths.receipt(stage, item);
    if (!objects.has(path)) return undefined;
    const found = await store.getText(prefix + path);
    // Workers ignore an invalid receipt as well.
    return found && undefinedIfInvalid(() => parseJson('receipt', found.text));
  };

  const visit = async (kind: Kind, sources: readonly Source[]): Promise<void> => {
    for (const stage of graph.consumersOf(kind.name)) {
      const receipts = await mapConcurrently(sources, ({ item }) => readReceipt(stage.name, item));
      const planned = sources.map((source, n): PlannedItem => {
        const receipt = receipts[n];
        const reason = reasonToRun(stage, receipt, { source, options: request.options, objects, forced: forced.has(stage.name) });
        if (reason?.distrust) distrusted.add(metadataPaths.receipt(stage.name, source.item));
        const item = { stage: stage.name, item: source.item };
        if (reason) return { ...item, action: 'run', why: reason.why };
        if (source.after !== undefined) return { ...item, action: 'undecided', why: `${source.after} produces its source again` };
        return { ...item, action: 'skip', why: 'done' };
      });
      items.push(...planned);
      for (const produced of stage.produces) await visit(produced, nextSources(stage, produced, planned, receipts, objects));
    }
  };
  await visit(
    findInitialKind(graph, scope),
    initialObjects.map(({ kind, indices, etag }) => ({ item: itemId(kind, indices), etag })),
  );
  return { initialObjects, items, distrusted: [...distrusted] };
}

/** Returns the kind of the initial objects. @throws Error for an unknown stage. */
function findInitialKind(graph: Graph, { from, only }: ReplayScope): Kind {
  const stage = from ?? only;
  return stage === undefined ? kinds.input : graph.stage(stage).consumes;
}

function findInitialObjects(
  graph: Graph,
  requestId: string,
  { input }: Request,
  objects: Objects,
  scope: ReplayScope,
): InitialObject[] {
  const kind = findInitialKind(graph, scope);
  if (kind === kinds.input) {
    // The admitted version of the input; other uploads were rejected.
    const { file, etag, size, version_id: versionId } = input;
    return [{ requestId, path: pathOf(kind, { file }), kind, indices: {}, etag, size, versionId }];
  }
  const found = findObjects(requestId, kind, objects);
  if (found.length > 0) return found;
  throw new PermanentError(
    'no-initial-objects',
    `request ${requestId} has no ${kind.name} for ${String(scope.from ?? scope.only)} to consume: replay from an earlier stage`,
  );
}

/** Returns the objects of a kind. */
function findObjects(requestId: string, kind: Kind, objects: Objects): InitialObject[] {
  return [...objects].flatMap(([path, object]) => {
    const key = parseKey(requestPrefix(requestId) + path, [kind]);
    return key ? [{ ...key, ...object }] : [];
  });
}

/** Returns the stages whose receipts are all ignored. */
function findForcedStages(graph: Graph, { from, only, force = false }: ReplayScope): Set<string> {
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

/** Returns why an item must run, or `undefined` if its receipt is valid. `distrust`: workers would accept the receipt. */
export function reasonToRun(
  stage: AnyStage,
  receipt: Receipt | undefined,
  { source, options, objects, forced }: { source: Source; options: OptionMap; objects: Objects; forced: boolean },
): { why: string; distrust?: boolean } | undefined {
  if (forced) return { why: 'forced' };
  if (!receipt) return { why: 'no receipt' };
  if (receipt.outcome === 'failed') return { why: `failed: ${receipt.error?.code ?? 'unknown'}` };
  if (receipt.version !== stage.version) return { why: `stage version ${receipt.version} → ${stage.version}` };
  const values = Object.entries(withDefaults(stage.options ?? {}, options));
  const changed = values.filter(([name, value]) => (receipt.config as OptionMap)[name] !== value).map(([name]) => name);
  if (changed.length > 0) return { why: `options changed: ${changed.join(', ')}` };
  if (receipt.outputs.some(({ key, etag }) => objects.get(key)?.etag !== etag))
    return { why: 'an output is missing or changed', distrust: true };
  if (source.after === undefined && receipt.source.etag !== source.etag) return { why: 'source changed' };
  return undefined;
}

/** Returns the sources of the next stages: existing outputs of skipped items, and new outputs of all others. */
function nextSources(
  stage: AnyStage,
  kind: Kind,
  planned: readonly PlannedItem[],
  receipts: readonly (Receipt | undefined)[],
  objects: Objects,
): Source[] {
  const sources = new Map<string, Source>();
  if (planned.some(({ action }) => action !== 'skip'))
    for (const { indices, etag } of findObjects('_', kind, objects))
      sources.set(itemId(kind, indices), { item: itemId(kind, indices), etag, after: stage.name });
  for (const [n, { action }] of planned.entries())
    for (const { kind: name, item, etag } of receipts[n]?.outputs ?? [])
      if (name === kind.name) sources.set(item, action === 'skip' ? { item, etag } : { item, etag, after: stage.name });
  return [...sources.values()];
}
