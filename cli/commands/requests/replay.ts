import { graph } from '../../../services/pipeline.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import type { PlannedItem, ReplayScope } from '../../../shared/requests/replay-plan.ts';
import { executeReplay, prepareReplay, type Replay } from '../../../shared/requests/replay.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { createProgressDisplay } from '../../output/progress-display.ts';
import { shorten } from '../../../shared/core/text.ts';
import { formatTable } from '../../output/format.ts';
import { formatSummary, toSummary } from '../../output/request-summary.ts';
import { waitForRequest } from '../../output/wait-for-request.ts';

export interface ReplayOptions extends ReplayScope {
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

/** Prints the plan of a replay and starts it. */
export async function replay(cli: CliContext, id: string, { dryRun, wait, ...scope }: ReplayOptions): Promise<number> {
  return withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      const prepared = await prepareReplay(bus, store, graph, id, scope);
      formatReplay(prepared, cli.stdout).forEach(cli.stdout.line);
      if (dryRun) return exitCodes.ok;
      const start = (): Promise<void> => executeReplay(bus, store, graph, prepared);
      if (wait) return startAndWait(cli, bus, prepared, start);
      await start();
      cli.stderr.line(cli.stderr.style('dim', `follow with: fave watch ${id}`));
      return exitCodes.ok;
    }),
  );
}

async function startAndWait(
  cli: CliContext,
  bus: Bus,
  { id, request: { input } }: Replay,
  start: () => Promise<void>,
): Promise<number> {
  const display = createProgressDisplay(cli.stderr);
  const from = await nextSequence(bus);
  const wait = await waitForRequest(bus, graph, id, from, {
    signal: cli.signal,
    style: cli.stderr.style,
    onChange: (progress, lines) => display.update(input.file, progress, lines()),
  });
  try {
    await start();
    const end = await wait.ended;
    display.end();
    formatSummary(toSummary(id, input.file, end), cli.stdout).forEach(cli.stdout.line);
    return end.status === 'completed' ? exitCodes.ok : exitCodes.failed;
  } finally {
    display.end();
    await wait.stop();
  }
}

/** Formats the plan of a replay: one line per stage, action and reason. */
export function formatReplay({ id, run, plan }: Pick<Replay, 'id' | 'run' | 'plan'>, output: Pick<Output, 'style'>): string[] {
  const { initialObjects, items } = plan;
  const groups = new Map<string, PlannedItem[]>();
  for (const item of items) {
    const group = `${item.stage} ${item.action} ${item.why}`;
    groups.set(group, [...(groups.get(group) ?? []), item]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [[first.stage, String(group.length), first.action, shorten(first.why, 44)]] : [];
  });
  const kind = initialObjects[0]?.kind.name ?? '';
  const start = initialObjects.length === 1 ? `1 ${kind}` : `${initialObjects.length} objects of kind ${kind}`;
  return [`${output.style('bold', id)}  run ${run} starts with ${start}`, ...formatTable(rows).map((line) => `  ${line}`)];
}
