import { pino, type Logger } from 'pino';

export type { Logger };

/** A process's logger: JSON lines on standard output, `timestamp` in ISO 8601, level by name. */
export function createLogger(service: string, level = 'info'): Logger {
  return pino({
    level,
    base: { service },
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: 'message',
    errorKey: 'error',
  });
}
