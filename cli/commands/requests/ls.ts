import type { RequestState } from '../../../schemas/generated/types.ts';
import { metadataPaths, REQUEST_ID, requestPrefix, REQUESTS_PREFIX } from '../../../shared/pipeline/keys.ts';
import type { Store } from '../../../shared/store/store.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { age, escapeControlCharacters, shorten, table } from '../../output/format.ts';
import { statusText } from '../../output/request-summary.ts';
import { stateOf } from '../../../shared/requests/read-request.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';

/** Requests that are looked at: ids do not tell their age, so each one's state is read, which must not take for ever. */
const SCANNED = 5_000;

/** A request as `ls --json` prints it. */
export interface Listed {
  readonly request_id: string;
  /** `unknown` while no state was written. */
  readonly status: RequestState['status'] | 'unknown';
  readonly input: string | null;
  readonly accepted_at: string | null;
  readonly duration_ms: number | null;
  readonly errors: number;
}

/** Prints requests, newest first. */
export function ls(cli: CliContext, { limit, json = false }: { limit: number; json?: boolean }): Promise<number> {
  return withStore(cli, async (store) => {
    const { ids, more } = await listRequests(store);
    const requests = newestFirst(await mapConcurrently(ids, (id) => listed(store, id)), limit);
    if (json) for (const request of requests) cli.stdout.line(JSON.stringify(request));
    else if (requests.length === 0) cli.stderr.line('no requests yet: fave submit VIDEO makes one');
    else listLines(requests, cli.stdout, Date.now()).forEach(cli.stdout.line);
    if (more)
      cli.stderr.line(
        `there are more than ${SCANNED} requests; newer ones may be among those not looked at: ask for one with fave status ID`,
      );
    else if (!json && ids.length > limit)
      cli.stderr.line(cli.stderr.style('dim', `${ids.length - limit} older: --limit ${ids.length} shows all`));
    return exitCodes.ok;
  });
}

async function listRequests(store: Store): Promise<{ ids: string[]; more: boolean }> {
  const ids: string[] = [];
  for await (const id of store.listPrefixes(REQUESTS_PREFIX)) {
    if (!REQUEST_ID.test(id)) continue;
    if (ids.length === SCANNED) return { ids, more: true };
    ids.push(id);
  }
  return { ids, more: false };
}

async function listed(store: Store, id: string): Promise<Listed> {
  const state = await stateOf(store, id).catch(() => undefined); // one that cannot be read must not hide the others
  // A rejected request was never accepted; when that was said is when it was written.
  const written =
    state && state.accepted_at === undefined
      ? (await store.head(requestPrefix(id) + metadataPaths.state))?.headers['last-modified']
      : undefined;
  return {
    request_id: id,
    status: state?.status ?? 'unknown',
    input: state?.input ?? null,
    accepted_at: state?.accepted_at ?? (written === undefined ? null : new Date(written).toISOString()),
    duration_ms: state?.duration_ms ?? null,
    errors: state?.errors?.length ?? 0,
  };
}

/** What has no state yet has just come: it is first. */
export function newestFirst(requests: readonly Listed[], limit: number): Listed[] {
  const time = ({ accepted_at }: Listed): number => (accepted_at === null ? Infinity : Date.parse(accepted_at));
  return [...requests]
    .sort((a, b) => (time(a) === time(b) ? (a.request_id < b.request_id ? -1 : 1) : time(b) - time(a)))
    .slice(0, limit);
}

/** @param now Milliseconds since 1970. */
export function listLines(requests: readonly Listed[], output: Output, now: number): string[] {
  const rows = requests.map(({ request_id, status, input, accepted_at, errors }) => [
    shorten(request_id, 36),
    errors > 0 && status === 'completed' ? `${status}*` : status,
    accepted_at === null ? '' : age(now - Date.parse(accepted_at)),
    shorten(escapeControlCharacters(input ?? ''), 22),
  ]);
  const styled = (cell: string, column: number, row: number): string => {
    const status = requests[row]?.status ?? 'unknown';
    return column === 1 && status !== 'unknown' ? cell.replace(status, statusText(status, output)) : cell;
  };
  const lines = table([['ID', 'STATUS', 'AGE', 'INPUT'], ...rows], (cell, column, row) =>
    row === 0 ? output.style('dim', cell) : styled(cell, column, row - 1),
  );
  return rows.some(([, status]) => status?.endsWith('*'))
    ? [...lines, output.style('dim', '* with errors: fave status ID')]
    : lines;
}
