import { graph } from '../../../services/pipeline.ts';
import type { RequestState } from '../../../schemas/generated/types.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { age, duration, escapeControlCharacters, table } from '../../output/format.ts';
import { errorLines, statusText } from '../../output/request-summary.ts';
import { assertRequestId, requireState } from '../../../shared/requests/read-request.ts';

/** Prints how far a request is. */
export async function status(cli: CliContext, id: string, { json = false }: { json?: boolean }): Promise<number> {
  assertRequestId(id);
  return withStore(cli, async (store) => {
    const state = await requireState(store, id);
    if (json) cli.stdout.line(JSON.stringify(state));
    else statusLines(state, cli.stdout, Date.now()).forEach(cli.stdout.line);
    return exitCodes.ok;
  });
}

/** A request's state for people. @param now Milliseconds since 1970. */
export function statusLines(state: RequestState, output: Output, now: number): string[] {
  const { request_id, input, accepted_at, duration_ms, options = {}, stages = {}, errors = [] } = state;
  const since = accepted_at === undefined ? '' : `, ${age(now - Date.parse(accepted_at))} ago`;
  const took = duration_ms === undefined ? '' : ` in ${duration(duration_ms)}`;
  const chosen = Object.entries(options).map(([name, value]) => `${name}=${escapeControlCharacters(String(value))}`);
  const rows = graph.stages.flatMap(({ name }) => {
    const stage = stages[name];
    if (!stage || stage.expected === 0) return [];
    const count = `${stage.done + stage.reused + stage.skipped} of ${stage.expected}`;
    return [
      [
        name,
        count,
        stage.failed > 0 ? `${stage.failed} failed` : '',
        `work ${duration(stage.duration_ms)}, queue ${duration(stage.queue_ms)}`,
      ],
    ];
  });
  return [
    `${output.style('bold', escapeControlCharacters(input ?? ''))}  ${request_id}`,
    `${statusText(state.status, output)}${took}${since}${chosen.length > 0 ? `  (${chosen.join(', ')})` : ''}`,
    ...(rows.length === 0
      ? []
      : [
          '',
          ...table(rows, (cell, column) =>
            column === 2 ? output.style('red', cell) : column === 3 ? output.style('dim', cell) : cell,
          ).map((line) => `  ${line}`),
        ]),
    ...(errors.length === 0 ? [] : ['', ...errorLines(errors, output)]),
  ];
}
