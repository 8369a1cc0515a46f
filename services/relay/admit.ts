import type { Request } from '../../schemas/generated/types.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { OptionMap } from '../../shared/core/options.ts';
import type { Store } from '../../shared/store/store.ts';
import { parseJson } from '../../shared/core/validate.ts';

export interface Candidate {
  readonly requestId: string;
  readonly file: string;
  readonly etag: string;
  readonly size: number;
  readonly versionId?: string | undefined;
  readonly options: OptionMap;
  readonly traceparent: string;
}

/**
 * Admits an upload as the input of its request. The first upload that creates `metadata/request.json` wins; a repeated notification
 * of it returns the admitted request. If a removed request had the same id, the runs of the new one continue its numbers, so that no
 * event, message or result of the removed request counts.
 * @param readLastRun Returns the number of the last run of the id, from its events.
 * @throws PermanentError `input-replaced` if the request has another input or other options.
 */
export async function admit(
  store: Store,
  candidate: Candidate,
  readLastRun: () => Promise<number | undefined>,
): Promise<Request> {
  const { requestId, file, etag, size, versionId, options, traceparent } = candidate;
  const key = requestPrefix(requestId) + metadataPaths.request;
  const offered: Request = {
    input: { file, etag, size, ...(versionId !== undefined && { version_id: versionId }) },
    options,
    traceparent,
  };
  const findAdmitted = async (): Promise<Request | undefined> => {
    const found = await store.getText(key);
    return found && assertSame(requestId, parseJson('request', found.text), offered);
  };
  const admitted = await findAdmitted();
  if (admitted) return admitted;
  const lastRun = await readLastRun();
  // A run has events only after its admission. Without an admission that is older than the events, its request was removed.
  const admittedSince = lastRun === undefined ? undefined : await findAdmitted();
  if (admittedSince) return admittedSince;
  const request: Request = { ...offered, ...(lastRun !== undefined && { run: lastRun + 1 }) };
  const created = await store.putIfAbsent(key, `${JSON.stringify(request)}\n`, {
    headers: { 'content-type': 'application/json' },
  });
  return created ? request : admit(store, candidate, readLastRun);
}

function assertSame(requestId: string, admitted: Request, offered: Request): Request {
  const difference = differenceOf(admitted, offered);
  if (difference === undefined) return admitted;
  throw new PermanentError(
    'input-replaced',
    `request ${requestId} already has the input ${admitted.input.file}, and ${difference}; upload under a new request id`,
  );
}

function differenceOf(admitted: Request, offered: Request): string | undefined {
  if (admitted.input.file !== offered.input.file) return `the upload has another name, ${offered.input.file}`;
  if (admitted.input.etag !== offered.input.etag) return 'the upload has different content';
  const sorted = (options: object): string => JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(admitted.options) === sorted(offered.options) ? undefined : 'the upload has different options';
}
