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
 * of it returns the admitted request.
 * @throws PermanentError `input-replaced` if the request has another input or other options.
 */
export async function admit(store: Store, candidate: Candidate): Promise<Request> {
  const { requestId, file, etag, size, versionId, options, traceparent } = candidate;
  const request: Request = {
    input: { file, etag, size, ...(versionId !== undefined && { version_id: versionId }) },
    options,
    traceparent,
  };
  const key = requestPrefix(requestId) + metadataPaths.request;
  if (await store.putIfAbsent(key, `${JSON.stringify(request)}\n`, { headers: { 'content-type': 'application/json' } }))
    return request;

  const found = await store.getText(key);
  if (!found) return admit(store, candidate);
  const admitted = parseJson('request', found.text);
  const difference = differenceOf(admitted, request);
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
