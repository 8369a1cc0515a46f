import { basename } from 'node:path';
import type { RequestState, Request } from '../../schemas/generated/types.ts';
import { graph } from '../../services/pipeline.ts';
import { metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import { createOptionParser } from '../../shared/core/options.ts';
import type { Store } from '../../shared/store/store.ts';
import { parseJson } from '../../shared/core/validate.ts';
import type { Submission } from '../../shared/requests/submission.ts';

/**
 * The input that was admitted under the id before, if it may be the same one: then submitting it again changes nothing.
 * Where it cannot be the same: the rejection that the relay would answer the upload with.
 */
export async function findAdmittedInput(
  store: Store,
  submission: Submission,
  options: Readonly<Record<string, string>>,
): Promise<Request['input'] | RequestState | undefined> {
  const { id, path, size, key } = submission;
  const found = await store.getText(requestPrefix(id) + metadataPaths.request);
  if (!found) return undefined;
  const { input, options: admitted } = parseJson('request', found.text);
  if (
    input.file === basename(path) &&
    input.size === size &&
    sorted(admitted) === sorted(createOptionParser(graph.options)(options))
  )
    return input;
  const message = `request ${id} exists already with another input or other options (${input.file}); choose another --id, or none`;
  return { request_id: id, run: 1, status: 'rejected', errors: [{ code: 'input-replaced', message, file: key }] };
}

function sorted(options: object): string {
  return JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
}
