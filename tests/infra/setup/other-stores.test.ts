import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { setUpBucket } from '../../../infra/setup/bucket.ts';
import { graph } from '../../../services/pipeline.ts';
import { createStoreAdmin, type StoreAdmin } from '../../../shared/store/s3/admin.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

function bucket(name: string, endpoint = stack.config.store.endpoint): StoreAdmin {
  const storeAdmin = createStoreAdmin({ ...stack.config.store, endpoint, bucket: name });
  onTestFinished(() => storeAdmin.close());
  return storeAdmin;
}

/** Answers what holds MinIO's extensions as S3's schema has it: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
async function strict(endpoint: string): Promise<string> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await text(incoming);
      if (body.includes('ExcludedPrefixes')) {
        const error = '<Error><Code>MalformedXML</Code><Message>did not validate against our published schema</Message></Error>';
        response.writeHead(400, { 'content-type': 'application/xml' }).end(error);
        return;
      }
      const { method, url, headers } = incoming;
      request(new URL(url ?? '', endpoint), { method, headers }, (upstream) => {
        response.writeHead(upstream.statusCode ?? 500, upstream.headers);
        upstream.pipe(response);
      }).end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('keeps the notification rules of a bucket when FAVE sweeps it', async () => {
  const storeAdmin = bucket('announces-nothing');
  expect(await setUpBucket({ storeAdmin, graph, eventSource: 'sweep' })).toEqual([
    'made bucket announces-nothing',
    'set the versioning of announces-nothing',
    'set the lifecycle of announces-nothing',
  ]);
  expect(await setUpBucket({ storeAdmin, graph, eventSource: 'sweep' })).toEqual([]);
  expect(await setUpBucket({ storeAdmin, graph })).toEqual(['set the notification rules of announces-nothing']);
});

it('enables versions for every key on a store without the extensions of MinIO', async () => {
  const storeAdmin = bucket('of-another-store', await strict(stack.config.store.endpoint));
  expect(await setUpBucket({ storeAdmin, graph, eventSource: 'sweep' })).toEqual([
    'made bucket of-another-store',
    'set the versioning of of-another-store',
    'set the lifecycle of of-another-store',
  ]);
  expect(await storeAdmin.client.getBucketVersioning(storeAdmin.bucket)).toMatchObject({ Status: 'Enabled' });
  expect(await setUpBucket({ storeAdmin, graph, eventSource: 'sweep' })).toEqual([]);
});
