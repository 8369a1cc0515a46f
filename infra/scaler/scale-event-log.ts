import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScaleEvent } from '../../schemas/generated/types.ts';
import { validate } from '../../shared/core/validate.ts';

/** Records scaling decisions and the life of replicas as lines of `scale.jsonl`. */
export interface ScaleEventLog {
  /** Appends an event. Its time is now unless it has one. */
  write(event: Omit<ScaleEvent, 'time'> & { readonly time?: string }): void;
  /** Resolves when all events are written. @throws Error if the file could not be written. */
  written(): Promise<void>;
}

export const scaleEventLogPath = (dataDir: string): string => join(dataDir, 'scale.jsonl');

/** Returns a log that stops after the first failed write and reports that failure from `written`. */
export function createScaleEventLog(dataDir: string): ScaleEventLog {
  let writing = Promise.resolve();
  return {
    write: (event) => {
      const line = validate('scaleEvent', { time: new Date().toISOString(), ...event });
      writing = writing.then(() => appendFile(scaleEventLogPath(dataDir), `${JSON.stringify(line)}\n`));
      writing.catch(() => undefined); // reported by `written`
    },
    written: () => writing,
  };
}
