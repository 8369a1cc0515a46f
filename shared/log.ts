import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';

export type { Logger };

/** Everything that FAVE logs about; a query over logs needs no other words. */
export type LogEvent =
  | 'service:start'
  | 'service:ready'
  | 'service:stop'
  | 'service:failed'
  | 'item:start'
  | 'item:done'
  | 'item:skipped'
  | 'item:retry'
  | 'item:released'
  | 'item:failed'
  | 'relay:admitted'
  | 'relay:rejected'
  | 'relay:ignored'
  | 'request:accepted'
  | 'request:completed'
  | 'request:failed';

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
