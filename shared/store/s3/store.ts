import type { StoreConfig } from '../../config/config.ts';
import type { Store, StoreObserver } from '../contract.ts';
import { createObjectLister } from './object-lister.ts';
import { createObjectReader } from './object-reader.ts';
import { createObjectWriter } from './object-writer.ts';
import { createAgent, createSendRequest } from './request.ts';
import { createRunOperation } from './run-operation.ts';

/** Creates a store on an S3 server. */
export function createS3Store(config: StoreConfig, observer?: StoreObserver): Store {
  const { bucket } = config;
  const agent = createAgent(config);
  const send = createSendRequest(config, agent);
  const operate = createRunOperation(observer);
  return {
    bucket,
    ...createObjectReader(send, operate),
    ...createObjectWriter(bucket, send, operate),
    ...createObjectLister(send, operate),
    close: () => {
      agent.destroy();
    },
  };
}
