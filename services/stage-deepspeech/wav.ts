import { readFile } from 'node:fs/promises';
import { PermanentError } from '../../shared/errors.ts';

/** Samples a second that every engine here is trained on. */
export const SAMPLE_RATE = 16_000;

/** The sound of a clip. */
export interface Wav {
  /** Bytes before the first sample. */
  readonly header: number;
  /** ±32 768. */
  readonly samples: Int16Array;
}

/** Sizes that stand for "until the end": the writer could not seek back to fill them in, as into a pipe. */
const UNKNOWN_SIZES = [0, 0xff_ff_ff_ff];

/** @throws PermanentError `unreadable-audio` when the file is not PCM s16le, mono, 16 000 Hz, or is cut short. */
export async function readWav(path: string): Promise<Wav> {
  return parseWav(await readFile(path));
}

/**
 * Finds the samples among a WAV file's chunks; a clip of no length has none.
 * @throws PermanentError `unreadable-audio`
 * @see Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), chapter 3
 */
export function parseWav(file: Buffer): Wav {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE')
    throw unreadable('it is not a WAV file');
  let known = false;
  for (let position = 12; position + 8 <= file.length;) {
    const id = file.toString('latin1', position, position + 4);
    const size = file.readUInt32LE(position + 4);
    position += 8;
    if (id === 'fmt ') {
      checkFormat(file.subarray(position, position + 16));
      known = true;
    }
    if (id === 'data') {
      if (!known) throw unreadable('its samples come before their format');
      return { header: position, samples: samplesOf(file.subarray(position), size) };
    }
    position += size + (size % 2);
  }
  throw unreadable('it has no samples');
}

function checkFormat(format: Buffer): void {
  if (format.length < 16) throw unreadable('its header is cut short');
  const coding = format.readUInt16LE(0);
  const channels = format.readUInt16LE(2);
  const rate = format.readUInt32LE(4);
  const bits = format.readUInt16LE(14);
  if (coding !== 1 || channels !== 1 || rate !== SAMPLE_RATE || bits !== 16)
    throw unreadable(
      `it has ${String(channels)} channels of ${String(bits)} bits at ${String(rate)} Hz in format ${String(coding)}`,
    );
}

function samplesOf(rest: Buffer, size: number): Int16Array {
  if (!UNKNOWN_SIZES.includes(size) && size > rest.length)
    throw unreadable(`${String(size - rest.length)} of its bytes are missing`);
  const length = UNKNOWN_SIZES.includes(size) ? rest.length : size;
  return Int16Array.from({ length: Math.floor(length / 2) }, (_, i) => rest.readInt16LE(i * 2));
}

function unreadable(why: string): PermanentError {
  return new PermanentError(
    'unreadable-audio',
    `The clip's sound cannot be read as 16-bit mono WAV at ${String(SAMPLE_RATE)} Hz: ${why}. Replay the request from stage-ffmpeg-2.`,
  );
}
