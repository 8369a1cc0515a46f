import { codeOf, messageOf } from '../../shared/core/errors.ts';
import { CANARY_REQUEST, canaryKey } from '../../shared/pipeline/keys.ts';
import type { Service } from '../../shared/runtime/service/service.ts';

/**
 * Puts a small object every so often, whose notifications come to the relay by both paths: it notes when one last came
 * (`fave_last_notification_timestamp_seconds`), so that a path that fell silent is seen also when nobody uploads anything.
 * @returns Stops it.
 */
export function startCanary({ config, log, store, drainSignal }: Service): () => void {
  if (config.eventSource !== 'notifications') return () => undefined;
  const key = canaryKey();
  const writeCanary = async (): Promise<void> => {
    try {
      await store.put(key, `${CANARY_REQUEST}\n`, { headers: { 'content-type': 'text/plain' }, signal: drainSignal });
      await store.remove(key);
    } catch (error) {
      if (!drainSignal.aborted) log.warn({ event: 'canary:failed', error, code: codeOf(error) }, messageOf(error));
    }
  };
  let singing = Promise.resolve();
  const timer = setInterval(() => {
    singing = singing.then(writeCanary);
  }, config.canaryIntervalSeconds * 1_000);
  return () => {
    clearInterval(timer);
  };
}
