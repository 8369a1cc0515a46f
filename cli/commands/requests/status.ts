import { graph } from '../../../services/pipeline.ts';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatAge, formatDuration, formatTable } from '../../output/format.ts';
import { formatErrors, formatInput, formatStatus } from '../../output/request-summary.ts';
import { requireState } from '../../../shared/requests/read-request.ts';

/** Prints the state of a request. */
export async function status(cli: CliContext, id: string, { json = false }: { json?: boolean }): Promise<number> {
  return withStore(cli, async (store) => {
    const state = await requireState(store, id);
    if (json) cli.stdout.line(toJson(state));
    else formatState(state, cli.stdout, Date.now()).forEach(cli.stdout.line);
    return exitCodes.ok;
  });
}

/** Formats the state of a request. @param now Milliseconds since 1970. */
export function formatState(state: RequestState, output: Output, now: number): string[] {
  const { request_id, accepted_at, duration_ms, options = {}, stages = {}, errors = [] } = state;
  const age = accepted_at === undefined ? '' : `, ${formatAge(now - Date.parse(accepted_at))} ago`;
  const duration = duration_ms === undefined ? '' : ` in ${formatDuration(duration_ms)}`;
  const optionTexts = Object.entries(options).map(([name, value]) => `${name}=${String(value)}`);
  const rows = graph.stages.flatMap(({ name }) => {
    const stage = stages[name];
    if (!stage || stage.expected === 0) return [];
    const count = `${stage.done + stage.reused + stage.skipped} of ${stage.expected}`;
    return [
      [
        name,
        count,
        stage.failed > 0 ? `${stage.failed} failed` : '',
        `work ${formatDuration(stage.duration_ms)}, queue ${formatDuration(stage.queue_ms)}`,
      ],
    ];
  });
  return [
    `${output.style('bold', formatInput(state))}  ${request_id}`,
    `${formatStatus(state.status, output)}${duration}${age}${optionTexts.length > 0 ? `  (${optionTexts.join(', ')})` : ''}`,
    ...(rows.length === 0
      ? []
      : [
          '',
          ...formatTable(rows, (cell, column) =>
            column === 2 ? output.style('red', cell) : column === 3 ? output.style('dim', cell) : cell,
          ).map((line) => `  ${line}`),
        ]),
    ...(errors.length === 0 ? [] : ['', ...formatErrors(errors, output)]),
  ];
}
