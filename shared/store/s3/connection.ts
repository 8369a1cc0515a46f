import { AsyncLocalStorage } from 'node:async_hooks';
import { createReadStream, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { Client, type ClientOptions } from 'minio';
import type { StoreConfig } from '../../config/config.ts';
import { UnavailableError } from '../../core/errors.ts';
import { sha256Of } from '../digest.ts';

/** Milliseconds without a byte after which a request counts as lost. A store that syncs events waits up to 5 s for a hung broker. */
const SILENCE = 20_000;

/** Milliseconds within which a store that is there begins to answer, what carries a file apart: that takes as long as it takes. */
const ANSWER = 1_000;

const EMPTY = sha256Of('');

/** What a request carries. */
export type Body = { readonly data: string; readonly sha256: string } | { readonly path: string; readonly sha256: string };

/** One signed request about an object; its body is drained by the caller. An abort ends it at any point, in the middle of its content too. */
export type SignedRequest = (
  about: {
    readonly method: 'GET' | 'HEAD' | 'PUT';
    readonly key: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: string;
  },
  signal: AbortSignal | undefined,
  body?: Body,
) => Promise<http.IncomingMessage>;

/** The way to the store. */
export interface Connection {
  readonly client: Client;
  /** Minio's own helpers know no If-Match, no constant-memory PUT and no signal. */
  readonly request: SignedRequest;
  close(): void;
}

/** The signal of the request that is being made: the client takes none, and its transport makes the request. */
const asking = new AsyncLocalStorage<AbortSignal | undefined>();

export function connectStore(config: StoreConfig): Connection {
  const { protocol } = new URL(config.endpoint);
  const agent =
    protocol === 'https:'
      ? new https.Agent({ keepAlive: true, ...(config.ca !== undefined && { ca: readFileSync(config.ca) }) })
      : new http.Agent({ keepAlive: true });
  const client = clientOf(config, agent);
  return {
    client,
    request: async ({ method, key, headers = {}, query = '' }, signal, body = { data: '', sha256: EMPTY }) => {
      const payload = 'path' in body ? createReadStream(body.path) : body.data;
      const digest = agent instanceof https.Agent ? '' : body.sha256;
      const expected = [200, 204, 206];
      const about = { method, bucketName: config.bucket, objectName: key, headers, query };
      const begun = performance.now();
      try {
        return await asking.run(signal, () => client.makeRequestStreamAsync(about, payload, digest, expected, config.region));
      } catch (cause) {
        const silent = signal?.aborted && !('path' in body) && performance.now() - begun > ANSWER;
        throw silent ? new UnavailableError('store-unavailable', 'the store does not answer', { cause }) : cause;
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

function clientOf(config: StoreConfig, agent: http.Agent): Client {
  const url = new URL(config.endpoint);
  const secure = agent instanceof https.Agent;
  const transport = {
    request(options: http.RequestOptions, listener: (response: http.IncomingMessage) => void) {
      const signal = asking.getStore();
      const sent = (secure ? https : http).request({ ...options, agent, timeout: SILENCE, ...(signal && { signal }) }, listener);
      sent.on('timeout', () => sent.destroy(new Error(`no answer for ${SILENCE / 1000} s`)));
      return sent;
    },
  };
  return new Client({
    endPoint: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    useSSL: secure,
    accessKey: config.accessKey,
    secretKey: config.secretKey,
    region: config.region,
    pathStyle: config.pathStyle,
    transport: transport as unknown as NonNullable<ClientOptions['transport']>,
    retryOptions: { disableRetry: true },
  });
}
