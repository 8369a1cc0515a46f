import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import * as http from 'node:http';
import { text } from 'node:stream/consumers';
import type { StoreConfig } from '../../../shared/config/config.ts';
import { encodePath, encodeQuery, signRequest } from '../../../shared/store/s3/sign.ts';

/** A request to any API of the store. */
export interface StoreRequest {
  readonly method: string;
  /** Path, not encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends a signed request. Returns `denied`, or the status with the error code. */
export type Ask = (request: StoreRequest) => Promise<string>;

/** Time after which a request that the store accepted is aborted (ms). Some operations stream without an end. */
const TIMEOUT_MS = 10_000;

/** Creates a client with the credentials of one user. */
export function createStoreClient(
  config: Pick<StoreConfig, 'endpoint' | 'region' | 'accessKey' | 'secretKey'>,
  agent: http.Agent,
): Ask {
  const { host, hostname, port } = new URL(config.endpoint);
  return async ({ method, path, query = {}, headers = {}, body = '' }) => {
    const encoded = { path: encodePath(path), query: encodeQuery(query) };
    const sha256 = createHash('sha256').update(body).digest('hex');
    const content = {
      'content-length': String(Buffer.byteLength(body)),
      'content-md5': createHash('md5').update(body).digest('base64'),
    };
    const sent = { ...headers, host, ...(method !== 'GET' && method !== 'HEAD' && content) };
    const options = {
      agent,
      hostname,
      port,
      method,
      path: encoded.query === '' ? encoded.path : `${encoded.path}?${encoded.query}`,
      headers: signRequest({ method, ...encoded, headers: sent, sha256 }, config),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.request(options, resolve).on('error', reject).end(body);
    });
    return resultOf(response.statusCode ?? 0, await text(response));
  };
}

function resultOf(status: number, body: string): string {
  const code = /<Code>(\w+)<|"Code":"(\w+)"/.exec(body)?.slice(1).find(Boolean) ?? '';
  // Otherwise every cell would be denied.
  if (code === 'SignatureDoesNotMatch' || code === 'InvalidAccessKeyId')
    throw new Error(`the store rejected the credentials: ${code}`);
  if (status === 403) return 'denied';
  return `${status} ${code}`.trim();
}

/** Encrypts the body of an administrative request with the secret key of its sender (the format of madmin.EncryptData with PBKDF2). */
export function encryptForAdmin(secretKey: string, value: object): Buffer {
  const [salt, nonce] = [randomBytes(32), randomBytes(8)];
  const key = pbkdf2Sync(secretKey, salt, 8_192, 32, 'sha256');
  const seal = (sequence: number, associated: Buffer, data: Buffer): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, Buffer.from([sequence, 0, 0, 0])]));
    cipher.setAAD(associated);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  };
  const associated = Buffer.concat([Buffer.from([0x80]), seal(0, Buffer.alloc(0), Buffer.alloc(0))]);
  return Buffer.concat([salt, Buffer.from([2]), nonce, seal(1, associated, Buffer.from(JSON.stringify(value)))]);
}
