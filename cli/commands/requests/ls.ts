import { listRequests, MAX_LISTED_REQUESTS, type ListedRequest } from '../../../shared/requests/list-requests.ts';
import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { shorten } from '../../../shared/core/text.ts';
import { formatAge, formatTable } from '../../output/format.ts';
import { formatInput, formatStatus } from '../../output/request-summary.ts';

/** Prints requests, newest first. */
export async function ls(cli: CliContext, { limit, json = false }: { limit: number; json?: boolean }): Promise<number> {
  const { requests, total, truncated } = await withStore(cli, (store) => listRequests(store, limit));
  if (json) for (const request of requests) cli.stdout.line(toJson(request));
  else if (requests.length === 0) cli.stderr.line('no requests; create one with: fave submit VIDEO');
  else formatRequests(requests, cli.stdout, Date.now()).forEach(cli.stdout.line);
  if (truncated)
    cli.stderr.line(`more than ${MAX_LISTED_REQUESTS} requests: newer ones may be missing here; show one with: fave status ID`);
  else if (!json && total > limit)
    cli.stderr.line(cli.stderr.style('dim', `${total - limit} older requests; show all with: --limit ${total}`));
  return exitCodes.ok;
}

/** Formats requests as a table. @param now Milliseconds since 1970. */
export function formatRequests(requests: readonly ListedRequest[], output: Output, now: number): string[] {
  const rows = requests.map(({ request_id, status, input, accepted_at, errors }) => [
    shorten(request_id, 36),
    errors > 0 && status === 'completed' ? `${status}*` : status,
    accepted_at === null ? '' : formatAge(now - Date.parse(accepted_at)),
    shorten(formatInput({ request_id, input }), 22),
  ]);
  const styleCell = (cell: string, column: number, row: number): string => {
    const status = requests[row]?.status;
    if (column !== 1 || status === undefined || status === 'not-accepted' || status === 'invalid-request-state') return cell;
    return cell.replace(status, formatStatus(status, output));
  };
  const lines = formatTable([['ID', 'STATUS', 'AGE', 'INPUT'], ...rows], (cell, column, row) =>
    row === 0 ? output.style('dim', cell) : styleCell(cell, column, row - 1),
  );
  return rows.some(([, status]) => status?.endsWith('*'))
    ? [...lines, output.style('dim', '* with errors; show them with: fave status ID')]
    : lines;
}
