import type { Detections, RequestState, Match, Media, Transcript } from '../../schemas/generated/types.ts';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { kindFolder, parseKey, pathOf, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';
import { requireState } from '../requests/read-request.ts';
import { mergeTimeline, type Timeline } from './timeline.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';

/** The result of a request, as `fave result --json` prints it. */
export interface Result extends Timeline {
  readonly request_id: string;
  readonly status: RequestState['status'];
  readonly input: string | null;
  /** Clips whose transcript matches the query of the request. */
  readonly matches: readonly Match[];
  readonly errors: NonNullable<RequestState['errors']>;
}

/**
 * Reads the artifacts of a request and merges them. The request may still be running.
 * @throws UsageError for an invalid id, PermanentError `unknown-request`, `not-accepted`, `invalid-…`.
 */
export async function readResult(store: Store, id: string): Promise<Result> {
  const { status, input = null, errors = [] } = await requireState(store, id);
  const transcripts = await listKeys(store, id, kinds.transcript);
  const detections = await listKeys(store, id, kinds.detections);
  const media = await store.getText(requestPrefix(id) + pathOf(kinds.media));
  const timeline = mergeTimeline({
    media: media && (parseJson('media', media.text) satisfies Media),
    transcripts: await mapConcurrently(transcripts, async (key): Promise<Transcript> =>
      parseJson('transcript', await getText(store, key)),
    ),
    detections: await mapConcurrently(detections, async (key): Promise<Detections> =>
      parseJson('detections', await getText(store, key)),
    ),
  });
  const matches = await mapConcurrently(await listKeys(store, id, kinds.match), async (key): Promise<Match> =>
    parseJson('match', await getText(store, key)),
  );
  return { request_id: id, status, input, ...timeline, matches: matches.sort((a, b) => a.start - b.start), errors };
}

/** Lists the artifacts of a kind; reads only the folder of the kind. */
async function listKeys(store: Store, id: string, kind: Kind): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(requestPrefix(id) + kindFolder(kind))) if (parseKey(key, [kind])) keys.push(key);
  return keys;
}

async function getText(store: Store, key: string): Promise<string> {
  return (await store.getText(key))?.text ?? '';
}
