import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Reads a response that has no content. */
export async function drained(response: IncomingMessage): Promise<IncomingMessage> {
  response.resume();
  if (!response.complete) await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject));
  return response;
}

/** Reads a response's whole content, which is known to be small. */
export async function contentOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function etagOf(headers: IncomingHttpHeaders): string {
  return unquoted(headers.etag ?? '');
}

export function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}
