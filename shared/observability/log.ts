import { pino, type DestinationStream, type LoggerOptions } from 'pino';
import { mapStack } from './source-map.ts';

/** All log events, with their descriptions for `docs/observability.md`. */
export const logEvents = {
  'service:ready': 'the service takes work; with the parts of its start in milliseconds and the port of /metrics',
  'service:stop': 'the service received a stop signal',
  'service:failed': 'the service exits because of an error',
  'service:orphans-removed': 'processes and directories of a killed worker were removed',
  'service:limits-unavailable': 'tools run without limits of memory, processor time and file size',
  'telemetry:failed': 'spans are not sent, with the reason',
  'item:start': 'an attempt starts',
  'item:done': 'an item is settled, and its outputs are stored',
  'item:reused': 'an item is settled with copies of memoized outputs',
  'item:skipped': 'a settled item was redelivered',
  'item:failed': 'an item became a dead letter',
  'item:retry': 'an attempt failed, and the item will be retried',
  'item:requeued': 'the item was reannounced, because the store or the bus was unavailable for too long',
  'item:released': 'the item was returned, because the process stops',
  'item:cancelled': 'the item was dropped, because its request was cancelled or timed out',
  'item:video-undecodable': 'no frame of a clip could be decoded',
  'memo:unusable': 'memoized outputs cannot be copied, so the item is processed',
  'background:failed': 'a background task failed; the message states the consequence',
  'request-log:failed': 'log lines of a request could not be stored',
  'consumer:unavailable': 'a consumer delivers no messages, with the reason',
  'consumer:restored': 'a consumer delivers messages again',
  'cancel:subscription-failed': 'the worker does not receive cancellations',
  'relay:admitted': 'an upload was admitted as the input of its request',
  'relay:rejected': 'an object is not a valid input or artifact',
  'relay:upload-ignored': 'an object was not taken for an input, with the reason; its request remains open',
  'relay:ignored': 'an invalid notification was dropped',
  'relay:retry': 'a notification could not be processed and will be retried',
  'request:accepted': 'a request was accepted',
  'request:completed': 'a request has completed',
  'request:failed': 'a request has failed',
  'tracker:ignored': 'an invalid event was ignored',
  'tracker:write-failed': 'a request state could not be written; the write is retried',
  'sweep:reannounced': 'an object whose notification was lost was announced',
  'sweep:failed': 'a sweep failed',
  'canary:failed': 'the canary object could not be written',
  'whisper:build': 'whisper.cpp is being built',
  'whisper:unusable': 'whisper.cpp cannot be used, with the reason',
  'speech:transcribed': 'a clip was transcribed, with the name of the engine',
} as const;

export type LogEvent = keyof typeof logEvents;

/** Fields of a line; `error` is any thrown value. */
export interface LogFields {
  readonly event: LogEvent;
  readonly error?: unknown;
  readonly [field: string]: unknown;
}

type Write = (fields: LogFields, message?: string) => void;

/** Writes log lines, each with a registered event. */
export type Logger = Readonly<Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', Write>>;

const stdout: DestinationStream = { write: (line) => void process.stdout.write(line) };

/** Any value may be thrown. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const serialized = pino.stdSerializers.err(error);
  return { ...serialized, stack: mapStack(serialized.stack) };
}

/**
 * Creates a logger that writes JSON lines to standard output: `timestamp` in ISO 8601, level by name.
 * @param base Fields of every line.
 * @param also Receives every line as well.
 */
export function createLogger(base: Record<string, unknown>, level = 'info', also?: (line: string) => void): Logger {
  const options: LoggerOptions = {
    level,
    base,
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: 'message',
    errorKey: 'error',
    serializers: { error: serializeError },
  };
  const destination = also
    ? {
        write: (line: string) => {
          stdout.write(line);
          also(line);
        },
      }
    : stdout;
  return pino(options, destination);
}
