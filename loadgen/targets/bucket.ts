import { basename } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeOptions } from '../../shared/pipeline/metadata.ts';
import { followRequestEvents, nextSequence } from '../../shared/bus/request-events.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Target } from './target.ts';

/** Milliseconds after which an upload that the store did not confirm is given up. */
const UPLOAD_TIMEOUT_MS = 60_000;

/** A FAVE: uploads as a user would, ends by the subjects that a user would watch. */
export function createBucketTarget(store: Store, bus: Bus, options: Readonly<Record<string, string>>): Target {
  const headers = encodeOptions(options);
  let stop = (): Promise<void> => Promise.resolve();
  return {
    async open(take, failed) {
      // From the stream, so that no event is lost with a connection.
      stop = await followRequestEvents(bus, { from: await nextSequence(bus) }, { onEvent: take, onError: failed });
    },
    async send({ id, video }, signal) {
      const key = requestPrefix(id) + pathOf(kinds.input, { file: basename(video.path) });
      await store.upload(key, video, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]) });
    },
    close: () => stop(),
  };
}
