import { CANARY_REQUEST, canaryKey } from '../../shared/pipeline/keys.ts';
import type { Service } from '../../shared/runtime/service/service.ts';

/**
 * Writes and removes a small object. The relay records the arrival of its notifications on both paths
 * (`fave_last_notification_timestamp_seconds`), so a broken path is detected even when there are no uploads.
 */
export async function writeCanary({ store, drainSignal }: Pick<Service, 'store' | 'drainSignal'>): Promise<void> {
  const key = canaryKey();
  await store.put(key, `${CANARY_REQUEST}\n`, { headers: { 'content-type': 'text/plain' }, signal: drainSignal });
  await store.remove(key);
}
