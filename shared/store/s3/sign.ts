import { createHmac, createHash } from 'node:crypto';

/** Credentials of the store and the region of the bucket. */
export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** An HTTP request to sign. Path and query are percent-encoded by {@link encodePath} and {@link encodeQuery}. */
export interface UnsignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Lower-case names, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, hexadecimal. */
  readonly sha256: string;
}

/**
 * Returns the headers of a request with an AWS Signature Version 4, which covers `host` and all `x-amz-…` headers
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 */
export function signRequest(request: UnsignedRequest, credentials: Credentials, now = new Date()): Record<string, string> {
  const { method, path, query, sha256 } = request;
  const { accessKey, secretKey, region } = credentials;
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': time, 'x-amz-content-sha256': sha256 };
  const signed = Object.keys(headers)
    .filter((name) => name === 'host' || name.startsWith('x-amz-'))
    .sort();
  const canonicalHeaders = signed.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`).join('');
  const canonicalRequest = [method, path, query, canonicalHeaders, signed.join(';'), sha256].join('\n');
  const digest = createHash('sha256').update(canonicalRequest).digest('hex');
  const text = ['AWS4-HMAC-SHA256', time, scope, digest].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretKey}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed.join(';')}, Signature=${hmac(key, text).toString('hex')}`;
  return { ...headers, authorization };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Encodes an object key for a URL path. Slashes stay. */
export function encodePath(key: string): string {
  return key.split('/').map(encode).join('/');
}

/** Returns a canonical query string: encoded and sorted by name. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

/** Encodes every character that RFC 3986 reserves. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
