import type { OptionMap } from '../core/options.ts';
import type { Attributes } from './artifact.ts';

/**
 * Object metadata of an artifact (at most 2 KB in all). A consumer needs no other lookup.
 * Headers are ASCII, so JSON values escape all other characters.
 */
export interface ObjectMetadata {
  readonly run: number;
  readonly options: OptionMap;
  readonly attributes: Attributes;
  readonly sha256?: string;
  /** SHA-256 of the request's input; set after a stage has read it. */
  readonly input?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Path of the receipt of the object, below the prefix of its request. */
  readonly receipt?: string;
}

const PREFIX = 'x-amz-meta-fave-';

/** Names below `fave-` that the platform uses for artifacts. No option has one of them. */
const own = ['run', 'options', 'attributes', 'sha256', 'input', 'traceparent', 'receipt'] as const;

/** Returns the headers that store `metadata` with an object. */
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

/** Returns the `fave-…` values of an object's headers or of a notification's `userMetadata`, by name without prefix. */
export function parseFaveHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const lower = name.toLowerCase();
      return lower.startsWith(PREFIX) ? [[lower.slice(PREFIX.length), decodeWords(value)]] : [];
    }),
  );
}

/** Parses headers from {@link encodeMetadata}; returns undefined for an object that FAVE did not write. */
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

/**
 * Returns the options and the trace context of a request from the headers of its input. Every `fave-…` value is an option, except
 * those of the platform: a copy of an artifact inside the store has them, and its trace is that of another request.
 */
export function parseRequestHeaders(headers: Readonly<Record<string, string>>): {
  options: Record<string, string>;
  traceparent?: string;
} {
  const values = parseFaveHeaders(headers);
  const { traceparent } = values;
  const options = Object.fromEntries(Object.entries(values).filter(([name]) => !reservedOptionNames.includes(name)));
  return { options, ...(traceparent !== undefined && values['run'] === undefined && { traceparent }) };
}

/** Returns the headers that store options with an upload. */
export function encodeOptions(options: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [PREFIX + name, encodeWord(value)]));
}

/** Names that an option cannot have. */
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

/** Decodes RFC 2047 encoded words, as which `mc` sends text that is not ASCII. */
function decodeWords(text: string): string {
  return text.replace(/=\?utf-8\?([bq])\?([^?]*)\?=(?:\s+(?==\?))?/gi, (_, encoding: string, body: string) =>
    (encoding.toLowerCase() === 'b' ? Buffer.from(body, 'base64') : quotedBytes(body)).toString('utf8'),
  );
}

/** Decodes the bytes of RFC 2047's Q encoding. Users write headers, so they may be invalid UTF-8, which must not throw. */
function quotedBytes(body: string): Buffer {
  const bytes = body.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function encodeWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?b?${Buffer.from(text).toString('base64')}?=`;
}
