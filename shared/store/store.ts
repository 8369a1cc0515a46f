import type { StoreConfig } from '../config/config.ts';
import { connectStore } from './s3/connection.ts';
import type { Store, StoreObserver } from './contract.ts';
import { listing } from './s3/object-lister.ts';
import { createRunOperation } from './s3/run-operation.ts';
import { reading } from './s3/object-reader.ts';
import { writing } from './s3/object-writer.ts';

export { storeResults, type Store, type StoreObserver } from './contract.ts';
export { digestOf, sha256Of, type Digest } from './digest.ts';

/** The bucket that the configuration names. @param observer Hears of every request. */
export function createStore(config: StoreConfig, observer?: StoreObserver): Store {
  const connection = connectStore(config);
  const { client, request, close } = connection;
  const { bucket } = config;
  const operate = createRunOperation(observer);
  return {
    bucket,
    client,
    ...reading(request, operate),
    ...writing(bucket, connection, operate),
    ...listing(bucket, client, observer),
    close,
  };
}
