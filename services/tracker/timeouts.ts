import type { RequestError } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { metadataPaths, pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { isFinished } from '../../shared/requests/run-state.ts';
import type { Store } from '../../shared/store/store.ts';
import { isOpen, type OpenRun, type Runs } from './apply-event.ts';

export interface ExpiredRun {
  readonly run: OpenRun;
  readonly error: RequestError;
}

/** Returns the open runs that have exceeded their option `timeout`. */
export function expiredRuns(runs: Runs, graph: Graph, nowMs: number): ExpiredRun[] {
  return [...runs.values()].flatMap((run) => {
    if (!isOpen(run) || run.timedOut || isFinished(run.state)) return [];
    const { accepted_at, options, input = '' } = run.state.accepted ?? {};
    const seconds = Number(options?.['timeout'] ?? graph.options['timeout']?.default);
    if (accepted_at === undefined || nowMs < Date.parse(accepted_at) + seconds * 1_000) return [];
    const message = `the request took longer than ${seconds} s; increase the option timeout`;
    return [{ run, error: { code: 'request-timeout', message, file: pathOf(kinds.input, { file: input }) } }];
  });
}

/**
 * Marks a run as timed out. Workers drop the queued items of a request with this marker. The marker is stored first, so while the
 * store is unavailable, the run stays open and expires again.
 */
export async function markTimedOut(store: Pick<Store, 'put'>, { run, error }: ExpiredRun): Promise<void> {
  const marker = { run: run.state.run, reason: error.message };
  await store.put(requestPrefix(run.state.requestId) + metadataPaths.cancelled, `${JSON.stringify(marker)}\n`);
  run.timedOut = error;
}
