import type { OptionMap } from '../core/options.ts';
import type { Attributes } from './artifact.ts';

/**
 * What travels with an artifact as object metadata (2 KB in all), so that whoever reacts to it needs no other lookup.
 * Header text is ASCII: JSON values escape everything else.
 */
export interface ObjectMetadata {
  readonly run: number;
  readonly options: OptionMap;
  readonly attributes: Attributes;
  readonly sha256?: string;
  /** SHA-256 of the request's input, once a stage has read it. */
  readonly input?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Path of the receipt that vouches for the object, below its request's prefix. */
  readonly receipt?: string;
}

const PREFIX = 'x-amz-meta-fave-';

/** Names below `fave-` that are the platform's, on artifacts; on an input all but `traceparent` would be options. */
const own = ['run', 'options', 'attributes', 'sha256', 'input', 'traceparent', 'receipt'] as const;

/** The headers that store `metadata` with an object. */
export function encodeMetadata(metadata: ObjectMetadata): Record<string, string> {
  const { run, options, attributes, ...texts } = metadata;
  const values: Record<string, string | undefined> = {
    run: String(run),
    options: Object.keys(options).length > 0 ? asciiJson(options) : undefined,
    attributes: Object.keys(attributes).length > 0 ? asciiJson(attributes) : undefined,
    ...texts,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[PREFIX + name, value]])),
  );
}

/** The `fave-…` values among an object's headers or a notification's `userMetadata`, by name without prefix. */
export function parseFaveHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const lower = name.toLowerCase();
      return lower.startsWith(PREFIX) ? [[lower.slice(PREFIX.length), decodeWords(value)]] : [];
    }),
  );
}

/** Reads what {@link encodeMetadata} wrote; undefined where an object carries none, because FAVE did not make it. */
export function decodeMetadata(headers: Readonly<Record<string, string>>): ObjectMetadata | undefined {
  const values = parseFaveHeaders(headers);
  const run = Number(values['run']);
  if (!Number.isInteger(run) || run < 1) return undefined;
  return {
    run,
    options: json(values['options']) as OptionMap,
    attributes: json(values['attributes']),
    ...(values['sha256'] !== undefined && { sha256: values['sha256'] }),
    ...(values['input'] !== undefined && { input: values['input'] }),
    ...(values['traceparent'] !== undefined && { traceparent: values['traceparent'] }),
    ...(values['receipt'] !== undefined && { receipt: values['receipt'] }),
  };
}

/** What a user chose for a request, from its input's headers: every `fave-…` value that is not a trace context. */
export function parseRequestHeaders(headers: Readonly<Record<string, string>>): {
  options: Record<string, string>;
  traceparent?: string;
} {
  const { traceparent, ...options } = parseFaveHeaders(headers);
  return { options, ...(traceparent !== undefined && { traceparent }) };
}

/** Headers that carry a user's options on an upload. */
export function encodeOptions(options: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [PREFIX + name, encodeWord(value)]));
}

/** Names that no option may have. */
export const reservedOptionNames: readonly string[] = own;

function asciiJson(value: object): string {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function json(text: string | undefined): object {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}

/** RFC 2047 encoded words, which `mc` makes of text that is not ASCII. */
function decodeWords(text: string): string {
  return text.replace(/=\?utf-8\?([bq])\?([^?]*)\?=(?:\s+(?==\?))?/gi, (_, encoding: string, body: string) =>
    (encoding.toLowerCase() === 'b' ? Buffer.from(body, 'base64') : quotedBytes(body)).toString('utf8'),
  );
}

/** The bytes of RFC 2047's Q encoding. They may be no UTF-8: users write headers, and no header may keep a request from its answer. */
function quotedBytes(body: string): Buffer {
  const bytes = body.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function encodeWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?b?${Buffer.from(text).toString('base64')}?=`;
}
