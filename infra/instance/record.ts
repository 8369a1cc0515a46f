import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, type ProcessIdentity } from '../process/identity.ts';
import type { Ports } from '../deployment/ports.ts';
import type { RegimeName } from '../deployment/regimes.ts';

/** A process of an instance. Services that share a process have the same pid. */
export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  /** Port of /metrics and /healthz of a service that is ready. */
  readonly http?: number;
  /** Path of the log of a service process. */
  readonly log?: string;
}

/** State of a running instance, with which other programs find it and a second start is prevented. It holds no secrets. */
export interface InstanceRecord {
  /** The launcher. */
  readonly launcher: ProcessIdentity;
  readonly state: 'starting' | 'ready' | 'stopping';
  readonly dataDir: string;
  /** Regime by which the stages are scaled. Without a regime each stage runs once. */
  readonly regime?: RegimeName;
  readonly ports: Ports;
  /** URL of the store. */
  readonly endpoint: string;
  readonly bucket: string;
  /** URL of the bus. */
  readonly natsUrl: string;
  /** Whether the servers were started by the instance. */
  readonly own: { readonly store: boolean; readonly bus: boolean };
  /** Path of the Whisper model; missing if pocketsphinx transcribes. */
  readonly whisperModel?: string;
  /** Whether `FAVE_WHISPER_MODEL` is `none`. */
  readonly isWhisperOff?: boolean;
  readonly processes: readonly ProcessRecord[];
}

/** Returns the directory of the programs `fave`, `mc` and `nats` of an instance. */
export const programsDir = (dataDir: string): string => join(dataDir, 'bin');

const recordPath = (dataDir: string): string => join(dataDir, 'instance.json');

/** Reads the record of the last instance of a data directory, running or not. */
export async function readRecord(dataDir: string): Promise<InstanceRecord | undefined> {
  const text = await readFile(recordPath(dataDir), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as InstanceRecord);
}

/** Reads the record of a running instance. @returns undefined if none is running. */
export async function readInstance(dataDir: string): Promise<InstanceRecord | undefined> {
  const record = await readRecord(dataDir);
  return record && isRunning(record.launcher) ? record : undefined;
}

/** Replaces the record atomically, so that readers never see a partial file. */
export async function writeRecord(record: InstanceRecord): Promise<void> {
  await mkdir(record.dataDir, { recursive: true, mode: 0o700 });
  const path = recordPath(record.dataDir);
  await writeFile(`${path}.new`, JSON.stringify(record, null, 2));
  await rename(`${path}.new`, path);
}
