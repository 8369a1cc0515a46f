import type { StoreConfig } from './config.ts';
import { connectStore } from './store/connection.ts';
import type { Store, StoreObserver } from './store/contract.ts';
import { listing } from './store/listing.ts';
import { operating } from './store/operation.ts';
import { reading } from './store/reading.ts';
import { writing } from './store/writing.ts';

export { storeResults, type Store, type StoreObserver } from './store/contract.ts';
export { digestOf, sha256Of, type Digest } from './store/digest.ts';

/** The bucket that the configuration names. @param observer Hears of every request. */
export function createStore(config: StoreConfig, observer?: StoreObserver): Store {
  const connection = connectStore(config);
  const { client, request, close } = connection;
  const { bucket } = config;
  const operate = operating(observer);
  return {
    bucket,
    client,
    ...reading(request, operate),
    ...writing(bucket, connection, operate),
    ...listing(bucket, client, observer),
    close,
  };
}
