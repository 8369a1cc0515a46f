import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** An error response of the store, with its S3 error code. */
export class S3ResponseError extends Error {
  readonly code: string;
  /** Lead of the clock of the store over that of this machine, in seconds. */
  readonly clockSkew: number;

  constructor(code: string, message: string, clockSkew = 0) {
    super(message);
    this.name = 'S3ResponseError';
    this.code = code;
    this.clockSkew = clockSkew;
  }
}

/** Difference of the clocks above which stores refuse signed requests, in seconds. */
const MAX_CLOCK_SKEW_SECONDS = 15 * 60;

/** Codes of responses without a body, which answer HEAD requests. */
const codesByStatus: Readonly<Record<number, string>> = {
  403: 'AccessDenied',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
};

/** Reads an error response (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
export async function readResponseError(response: IncomingMessage): Promise<S3ResponseError> {
  const { headers, statusCode = 0 } = response;
  const xml = (await readBody(response)).toString();
  const header = headers['x-minio-error-code'] as string | undefined;
  const clockSkew = Math.round((Date.parse(headers.date ?? '') - Date.now()) / 1_000) || 0;
  // The response to a HEAD request has no body with the code.
  const isSkewed = statusCode === 403 && Math.abs(clockSkew) > MAX_CLOCK_SKEW_SECONDS;
  const code = isSkewed
    ? 'RequestTimeTooSkewed'
    : (parseElement(xml, 'Code') ?? header ?? codesByStatus[statusCode] ?? `status ${statusCode}`);
  return new S3ResponseError(code, parseElement(xml, 'Message') ?? code, clockSkew);
}

/** Reads and discards the body of a response. */
export async function drainResponse(response: IncomingMessage): Promise<IncomingMessage> {
  response.resume();
  if (!response.complete) await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject));
  return response;
}

/** Returns the whole body of a small response. */
export async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Returns the ETag without its quotes. */
export function parseEtag(headers: IncomingHttpHeaders): string {
  return unquote(headers.etag ?? '');
}

export function unquote(etag: string): string {
  return etag.replaceAll('"', '');
}

/** Returns the text of the first element of a name. S3's responses have neither attributes nor CDATA in elements that are read here. */
export function parseElement(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(#\d+|#x[\da-f]+|\w+);/gi, (entity, reference: string) => decodeEntity(reference) ?? entity);
}

const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntity(reference: string): string | undefined {
  if (!reference.startsWith('#')) return namedEntities[reference];
  return String.fromCodePoint(/^#x/i.test(reference) ? parseInt(reference.slice(2), 16) : Number(reference.slice(1)));
}
