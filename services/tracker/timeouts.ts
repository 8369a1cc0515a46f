import type { RequestError } from '../../schemas/generated/types.ts';
import type { ErrorCode } from '../../shared/core/error-codes.ts';
import type { RequestLimits } from '../../shared/config/limits.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { metadataPaths, pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { isFinished, type RunState } from '../../shared/requests/run-state.ts';
import type { Store } from '../../shared/store/store.ts';
import { isOpen, type OpenRun, type Runs } from './apply-event.ts';

export interface ExpiredRun {
  readonly run: OpenRun;
  readonly error: RequestError;
}

/** Returns the open runs that have exceeded their option `timeout` or a limit of the operator. */
export function expiredRuns(
  runs: Runs,
  { graph, limits, nowMs }: { readonly graph: Graph; readonly limits: RequestLimits; readonly nowMs: number },
): ExpiredRun[] {
  return [...runs.values()].flatMap((run) => {
    if (!isOpen(run) || run.timedOut || isFinished(run.state)) return [];
    const { accepted_at, options, input = '' } = run.state.accepted ?? {};
    if (accepted_at === undefined) return [];
    const timeout = Number(options?.['timeout'] ?? graph.options['timeout']?.default);
    const excess = findExcess(run.state, limits, {
      ageSeconds: (nowMs - Date.parse(accepted_at)) / 1_000,
      timeoutSeconds: Math.min(timeout, limits.timeoutSeconds),
    });
    return excess ? [{ run, error: { ...excess, file: pathOf(kinds.input, { file: input }) } }] : [];
  });
}

function findExcess(
  { outputBytes, workMs }: RunState,
  limits: RequestLimits,
  { ageSeconds, timeoutSeconds }: { readonly ageSeconds: number; readonly timeoutSeconds: number },
): { readonly code: ErrorCode; readonly message: string } | undefined {
  if (ageSeconds >= timeoutSeconds) {
    const message = `the request took longer than ${timeoutSeconds} s; increase the option timeout`;
    return { code: 'request-timeout', message };
  }
  if (outputBytes > limits.outputBytes) {
    const message = `the outputs of the request exceed ${limits.outputBytes / 1e6} MB (FAVE_MAX_REQUEST_MB)`;
    return { code: 'too-much-output', message };
  }
  if (workMs <= limits.workSeconds * 1_000) return undefined;
  const message = `the work on the request took more than ${limits.workSeconds} s (FAVE_MAX_REQUEST_WORK_SECONDS)`;
  return { code: 'too-much-work', message };
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
