import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScaleEvent } from '../../schemas/generated/types.ts';
import { validate } from '../../shared/core/validate.ts';

/** What was decided about replicas, and what became of them: lines of `scale.jsonl`. */
export interface ScaleEventLog {
  /** The time is now unless the event has its own. */
  write(event: Omit<ScaleEvent, 'time'> & { readonly time?: string }): void;
  /** Resolves when all is written. */
  written(): Promise<void>;
}

export const scaleEventLogPath = (dataDir: string): string => join(dataDir, 'scale.jsonl');

/** Ends where the file cannot be written. @throws Error from `written` then. */
export function createScaleEventLog(dataDir: string): ScaleEventLog {
  let writing = Promise.resolve();
  return {
    write: (event) => {
      const line = validate('scaleEvent', { time: new Date().toISOString(), ...event });
      writing = writing.then(() => appendFile(scaleEventLogPath(dataDir), `${JSON.stringify(line)}\n`));
      writing.catch(() => undefined); // heard of by whoever asks whether all is written
    },
    written: () => writing,
  };
}
