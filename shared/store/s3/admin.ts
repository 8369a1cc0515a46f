import { Client } from 'minio';
import type { StoreConfig } from '../../config/config.ts';
import { createAgent } from './request.ts';

/** Administration of a bucket: notification rules, lifecycle, versioning and tags. Set-up and checks use it; services do not. */
export interface StoreAdmin {
  readonly bucket: string;
  readonly client: Client;
  close(): void;
}

/** Creates the administration client of the configured bucket. */
export function createStoreAdmin(config: StoreConfig): StoreAdmin {
  const { protocol, hostname, port } = new URL(config.endpoint);
  const agent = createAgent(config);
  const client = new Client({
    endPoint: hostname,
    ...(port !== '' && { port: Number(port) }),
    useSSL: protocol === 'https:',
    accessKey: config.accessKey,
    secretKey: config.secretKey,
    region: config.region,
    pathStyle: config.pathStyle,
    transportAgent: agent,
    retryOptions: { disableRetry: true },
  });
  return {
    bucket: config.bucket,
    client,
    close: () => {
      agent.destroy();
    },
  };
}
