import type { StoreConfig } from '../config/config.ts';
import type { Store, StoreObserver } from './contract.ts';
import { createS3Store } from './s3/store.ts';

export { storeResults, type Store, type StoreObserver } from './contract.ts';
export { computeSha256, digestFile, type Digest } from './digest.ts';

/** Creates the store of the configured provider; S3 is the only one today. @param observer Receives every request, retries included. */
export function createStore(config: StoreConfig, observer?: StoreObserver): Store {
  return createS3Store(config, observer);
}
