import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Identifies content. */
export interface Digest {
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Returns the size and SHA-256 of a file. Reads it once, as a stream. */
export async function digestFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), size };
}

/** Returns the SHA-256 of text or bytes, hexadecimal. */
export function computeSha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
