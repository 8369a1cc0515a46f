import { pino, type DestinationStream, type LoggerOptions } from 'pino';

/** Everything that FAVE logs about; a query over logs needs no other words. `docs/observability.md` lists it from here. */
export const logEvents = {
  'service:ready': 'takes work from now on; with the parts of its start in milliseconds and the port of /metrics',
  'service:stop': 'was told to stop',
  'service:failed': 'ends because it cannot go on',
  'service:orphans-removed': 'what a killed predecessor left was removed',
  'service:limits-unavailable': 'tools run without limits of memory, processor time and file size',
  'telemetry:failed': 'spans are not sent, and why',
  'item:start': 'an attempt at an item begins',
  'item:done': 'an item is settled: its outputs are in the bucket',
  'item:reused': 'an item is settled by copies of equal work',
  'item:skipped': 'an item was settled before and came again',
  'item:failed': 'an item has ended as a dead letter',
  'item:retry': 'an attempt failed and the item is given back, to be tried again later',
  'item:requeued': 'the item was announced anew: the store or the bus was away too long',
  'item:released': 'the item was given back because the process stops',
  'item:cancelled': 'the item was dropped: its request was cancelled or ran out of time',
  'item:video-undecodable': 'of a clip’s picture nothing could be decoded',
  'memo:unusable': 'equal work cannot be copied and is done again',
  'background:failed': 'something beside the items failed; the line says what follows',
  'request-log:failed': 'log lines of a request could not be put into the bucket',
  'consumer:unavailable': 'a consumer gives no work, and why',
  'consumer:restored': 'a consumer that gave no work answers again',
  'cancel:subscription-failed': 'the worker is not told of cancellations',
  'relay:admitted': 'an input was made the input of its request',
  'relay:rejected': 'an object is no valid input or artifact',
  'relay:ignored': 'a notification that cannot be read was dropped',
  'relay:retry': 'a notification could not be handled and is tried again',
  'request:accepted': 'a request begins',
  'request:completed': 'a request has ended with something usable',
  'request:failed': 'a request has ended with nothing usable',
  'tracker:ignored': 'an event that is none was passed over',
  'tracker:write-failed': 'something about a request could not be written and is tried again',
  'sweep:reannounced': 'an object whose notification was lost is announced',
  'sweep:failed': 'looking for lost notifications failed',
  'canary:failed': 'the object that proves the notification path could not be put',
  'whisper:build': 'whisper.cpp is built',
  'whisper:unusable': 'whisper.cpp cannot be used, and why',
  'speech:transcribed': 'a clip’s speech was recognised, by which engine',
} as const;

export type LogEvent = keyof typeof logEvents;

/** Fields of a line; `error` is anything thrown. */
export interface LogFields {
  readonly event: LogEvent;
  readonly error?: unknown;
  readonly [field: string]: unknown;
}

type Write = (fields: LogFields, message?: string) => void;

/** Writes lines about events of the one vocabulary. */
export type Logger = Readonly<Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', Write>>;

const stdout: DestinationStream = { write: (line) => void process.stdout.write(line) };

/**
 * A logger of JSON lines on standard output: `timestamp` in ISO 8601, level by name.
 * @param base Fields of every line.
 * @param also Gets every line as well.
 */
export function createLogger(base: Record<string, unknown>, level = 'info', also?: (line: string) => void): Logger {
  const options: LoggerOptions = {
    level,
    base,
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: 'message',
    errorKey: 'error',
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
