import { randomBytes } from 'node:crypto';

/** A W3C trace context that begins a trace: https://www.w3.org/TR/trace-context/#traceparent-header */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** Whether a text from outside is a usable W3C trace context. */
export function isTraceparent(text: string): boolean {
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);
}
