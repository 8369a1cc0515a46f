import { basename } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeOptions } from '../../shared/pipeline/metadata.ts';
import { followRequestEvents, nextSequence } from '../../shared/bus/request-events.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Target } from './target.ts';

/** Timeout for an upload, in ms. */
const UPLOAD_TIMEOUT_MS = 60_000;

/** Creates a target that uploads to the bucket and follows request events, as a user would. */
export function createBucketTarget(store: Store, bus: Bus, options: Readonly<Record<string, string>>): Target {
  const headers = encodeOptions(options);
  let stop = (): Promise<void> => Promise.resolve();
  return {
    async open(take, failed) {
      // Reads from the stream, so a lost connection loses no events.
      stop = await followRequestEvents(bus, { from: await nextSequence(bus) }, { onEvent: take, onError: failed });
    },
    async send({ id, video }, signal) {
      const key = requestPrefix(id) + pathOf(kinds.input, { file: basename(video.path) });
      await store.upload(key, video, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]) });
    },
    close: () => stop(),
  };
}
