import type { LandedMessage, Request } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { PermanentError, UsageError } from '../../../shared/core/errors.ts';
import { requestPrefix } from '../../../shared/pipeline/keys.ts';
import { createLandedMessage } from '../../../shared/bus/landed-message.ts';
import { decodeMetadata } from '../../../shared/pipeline/metadata.ts';
import type { OptionMap } from '../../../shared/core/options.ts';
import { beginRun, lastRun } from '../../../shared/requests/start-run.ts';
import type { Store } from '../../../shared/store/store.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import { shorten, table } from '../../output/format.ts';
import { outcomeLines, outcomeOf } from '../../output/request-summary.ts';
import {
  planReplay,
  type InitialObject,
  type ReplayPlan,
  type PlannedItem,
  type ReplayScope,
} from '../../../shared/requests/replay-plan.ts';
import { requireState, readRequest } from '../../../shared/requests/read-request.ts';
import { createDisplay, waitForRequest } from '../../output/wait-for-request.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';

export interface ReplayOptions extends ReplayScope {
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

/** Begins a new run of a request: what is valid passes, all else is made again. */
export async function replay(cli: CliContext, id: string, options: ReplayOptions): Promise<number> {
  assertStages(options);
  return withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      await requireState(store, id);
      const request = await readRequest(store, id);
      const run = await nextRun(bus, store, id);
      const plan = await planReplay(store, graph, id, request, options);
      planLines(plan, id, run, cli.stdout).forEach(cli.stdout.line);
      if (options.dryRun) return exitCodes.ok;
      const begin = (): Promise<void> => executeReplay(bus, store, request, { id, run, plan, options });
      if (options.wait) return follow(cli, bus, id, request.input.file, begin);
      await begin();
      cli.stderr.line(cli.stderr.style('dim', `follow with: fave watch ${id}`));
      return exitCodes.ok;
    }),
  );
}

/** @throws UsageError that lists the stages. */
function assertStages({ from, only }: ReplayOptions): void {
  if (from !== undefined && only !== undefined) throw new UsageError('--from and --only exclude each other: choose one');
  const names = graph.stages.map(({ name }) => name);
  for (const name of [from, only])
    if (name !== undefined && !names.includes(name))
      throw new UsageError(`there is no stage "${name}": there are ${names.join(', ')}`);
}

/** @throws PermanentError `still-running`, `not-accepted`. */
async function nextRun(bus: Bus, store: Store, id: string): Promise<number> {
  const last = await lastRun(bus, store, id);
  if (!last) throw new PermanentError('not-accepted', `request ${id} has not begun: is the tracker running? (fave doctor)`);
  if (last.ended) return last.run + 1;
  throw new PermanentError(
    'still-running',
    `request ${id} is still running (run ${last.run}): wait for its end, or end it with fave cancel ${id}`,
  );
}

async function executeReplay(
  bus: Bus,
  store: Store,
  request: Request,
  { id, run, plan, options }: { id: string; run: number; plan: ReplayPlan; options: ReplayOptions },
): Promise<void> {
  await mapConcurrently(plan.distrusted, (path) => store.remove(requestPrefix(id) + path));
  // Made again means made: equal work of other requests, or its own, must not be copied.
  const remade = options.force === true || options.only !== undefined;
  const chosen: OptionMap = { ...request.options, ...(remade && { memo: false }) };
  const begins = await mapConcurrently(plan.begins, (object) => landedAgain(store, object, run, request, chosen));
  await beginRun(bus, store, graph, { requestId: id, run, request, options: chosen, begins });
}

/** The announcement of an object in a new run's name. @throws PermanentError `missing-object`. */
async function landedAgain(
  store: Store,
  object: InitialObject,
  run: number,
  { traceparent }: Request,
  options: OptionMap,
): Promise<LandedMessage> {
  const { path, requestId, etag, versionId } = object;
  const found = await store.head(requestPrefix(requestId) + path, { etag, ...(versionId !== undefined && { versionId }) });
  if (!found) throw new PermanentError('missing-object', `${path} of request ${requestId} is gone: the run cannot begin with it`);
  const { attributes = {}, sha256, input } = decodeMetadata(found.headers) ?? {};
  const metadata = {
    run,
    options,
    attributes,
    ...(sha256 !== undefined && { sha256 }),
    ...(input !== undefined && { input }),
    ...(traceparent !== undefined && { traceparent }),
  };
  return createLandedMessage(object, metadata);
}

async function follow(cli: CliContext, bus: Bus, id: string, file: string, begin: () => Promise<void>): Promise<number> {
  const display = createDisplay(cli);
  const waiting = await waitForRequest(
    bus,
    graph,
    id,
    await nextSequence(bus),
    {
      signal: cli.signal,
      changed: (progress, lines) => {
        display.changed(file, progress, lines());
      },
    },
    cli.stderr,
  );
  try {
    await begin();
    const end = await waiting.ended;
    display.end();
    outcomeLines(outcomeOf(id, file, end), cli.stdout).forEach(cli.stdout.line);
    return end.status === 'completed' ? exitCodes.ok : exitCodes.failed;
  } finally {
    display.end();
    await waiting.stop();
  }
}

/** A plan for people: a line for each thing that happens to some items of a stage. */
export function planLines({ begins, items }: ReplayPlan, id: string, run: number, output: Pick<Output, 'style'>): string[] {
  const groups = new Map<string, PlannedItem[]>();
  for (const item of items) {
    const group = `${item.stage} ${item.action} ${item.why}`;
    groups.set(group, [...(groups.get(group) ?? []), item]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [[first.stage, String(group.length), first.action, shorten(first.why, 44)]] : [];
  });
  const kind = begins[0]?.kind.name ?? '';
  return [
    `${output.style('bold', id)}  run ${run} begins with ${begins.length === 1 ? `1 ${kind}` : `${begins.length} of kind ${kind}`}`,
    ...table(rows).map((line) => `  ${line}`),
  ];
}
