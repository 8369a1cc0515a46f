import { createReadStream, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { StoreConfig } from '../../config/config.ts';
import { UnavailableError } from '../../core/errors.ts';
import { computeSha256, type Digest } from '../digest.ts';
import { readResponseError } from './response.ts';
import { encodePath, encodeQuery, signRequest } from './sign.ts';

/** Idle time after which a request fails, in milliseconds. A store that syncs events waits up to 5 s for a broker that hangs. */
const IDLE_TIMEOUT_MS = 20_000;

/** Time in which a healthy store starts to answer a request without a file, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Content of a request: text or bytes, or a file that is streamed. */
export type Body = Digest & ({ readonly data: string | Buffer } | { readonly path: string });

const EMPTY: Body = { data: '', size: 0, sha256: computeSha256('') };

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Object key; empty for a request about the bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Aborts the request at any point, also while its response is read. */
  readonly signal?: AbortSignal | undefined;
}

/** Sends a signed request and returns its response, whose body the caller reads. @throws S3ResponseError for a status other than 2xx. */
export type SendRequest = (request: S3Request) => Promise<http.IncomingMessage>;

/** Creates the keep-alive agent for an endpoint. */
export function createAgent({ endpoint, ca }: Pick<StoreConfig, 'endpoint' | 'ca'>): http.Agent {
  return new URL(endpoint).protocol === 'https:'
    ? new https.Agent({ keepAlive: true, ...(ca !== undefined && { ca: readFileSync(ca) }) })
    : new http.Agent({ keepAlive: true });
}

/** Creates the function that sends requests about a bucket and its objects. */
export function createSendRequest(config: StoreConfig, agent: http.Agent): SendRequest {
  const { protocol, hostname, port, host } = new URL(config.endpoint);
  const transport = protocol === 'https:' ? https : http;
  const [hostPrefix, pathPrefix] = config.pathStyle ? ['', `/${config.bucket}`] : [`${config.bucket}.`, ''];

  return async ({ method, key, query = {}, headers = {}, body = EMPTY, signal }) => {
    const path = `${pathPrefix}/${encodePath(key)}`;
    const text = encodeQuery(query);
    const sentHeaders: Record<string, string> = { ...headers, host: hostPrefix + host };
    if (method !== 'GET' && method !== 'HEAD') sentHeaders['content-length'] = String(body.size);
    const unsigned = { method, path, query: text, headers: sentHeaders, sha256: body.sha256 };
    const started = performance.now();
    try {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const sent = transport.request(
          {
            method,
            hostname: hostPrefix + hostname,
            port,
            path: text === '' ? path : `${path}?${text}`,
            headers: signRequest(unsigned, config),
            agent,
            timeout: IDLE_TIMEOUT_MS,
            ...(signal && { signal }),
          },
          resolve,
        );
        sent.on('error', reject);
        sent.on('timeout', () => sent.destroy(new Error(`no answer for ${IDLE_TIMEOUT_MS / 1_000} s`)));
        if ('path' in body) pipeline(createReadStream(body.path), sent).catch(reject);
        else sent.end(body.data);
      });
      if (Math.floor((response.statusCode ?? 0) / 100) !== 2) throw await readResponseError(response);
      return response;
    } catch (cause) {
      const silent = signal?.aborted && !('path' in body) && performance.now() - started > ANSWER_TIMEOUT_MS;
      throw silent ? new UnavailableError('store-unavailable', 'the store does not answer', { cause }) : cause;
    }
  };
}
