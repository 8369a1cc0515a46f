import { NotFoundError } from '../../core/errors.ts';
import { identifyInput } from '../workdir/identify-input.ts';
import { createItem } from '../workdir/item.ts';
import { nameUserFile } from '../workdir/name-user-file.ts';
import { RequestRemovedError } from '../request-cache.ts';
import { runStage } from '../workdir/run-stage.ts';
import { withWorkdir, type Workdir } from '../workdir/workdir.ts';
import type { Attempt } from './attempt.ts';
import { toErrorResult, type AttemptResult } from './attempt-result.ts';
import { CancelledError, withCancellation } from './cancellations.ts';
import { withDeadline } from './deadline.ts';
import { findPriorResult } from './find-prior-result.ts';
import { copyMemoizedOutputs } from './memo.ts';
import { reannounceOutputs } from './reannounce-outputs.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/** Works on an item until its outputs are stored. Never throws: an error is part of the result. */
export async function runAttempt(worker: WorkerDependencies, attempt: Attempt): Promise<AttemptResult> {
  const { config, background, killSignal } = worker;
  const { landed, abort } = attempt;
  try {
    return await withDeadline(
      attempt,
      config.limits.itemTimeoutSeconds,
      () => worker.readRequest(landed.request_id, abort.signal),
      () =>
        withCancellation(worker, attempt, () =>
          withWorkdir(attempt, { tmpdir: config.tmpdir, background }, (workdir) => processItem(worker, attempt, workdir)),
        ),
    );
  } catch (error) {
    return toErrorResult(await explainNotFound(error, worker, attempt), attempt, killSignal);
  }
}

/** Returns the error, or a RequestRemovedError if an object is missing because its request was removed. */
async function explainNotFound(
  error: unknown,
  { readRequest }: WorkerDependencies,
  { landed, abort }: Attempt,
): Promise<unknown> {
  if (!(error instanceof NotFoundError) || abort.signal.aborted) return error;
  return readRequest(landed.request_id, abort.signal).then(
    () => error,
    (reason: unknown) => (reason instanceof RequestRemovedError ? reason : error),
  );
}

async function processItem(worker: WorkerDependencies, attempt: Attempt, workdir: Workdir): Promise<AttemptResult> {
  const { store, readRequest } = worker;
  const { stage, landed, abort, record } = attempt;
  const item = createItem(landed, stage.consumes, {
    store,
    dir: workdir.dir,
    signal: abort.signal,
    request: () => readRequest(landed.request_id, abort.signal),
    reads: stage.reads ?? [],
  });
  const { run: firstRun = 1 } = await readRequest(landed.request_id, abort.signal);
  if (landed.run < firstRun) throw new CancelledError(landed.request_id, 'was removed, and another request has its id');
  record.identity = await identifyInput(attempt, item);
  const { receipt, memo } = await findPriorResult(worker, attempt, item);
  if (receipt) return reannounceOutputs(worker, attempt, receipt);
  if (memo && (await copyMemoizedOutputs(store, attempt, memo))) return { outcome: 'reused' };
  try {
    await runStage(attempt, worker, item, workdir);
  } catch (error) {
    const request = await readRequest(landed.request_id, abort.signal).catch(() => undefined);
    if (!request) throw error;
    throw nameUserFile(error, { item: item.id, key: landed.key, file: request.input.file, dir: workdir.dir });
  }
  return { outcome: 'done', memoHash: memo?.hash };
}
