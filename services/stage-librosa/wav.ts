import type { FileHandle } from 'node:fs/promises';
import { PermanentError } from '../../shared/errors.ts';

/** Samples a second of the audio that stage-ffmpeg-0 makes: librosa's default. */
export const SAMPLE_RATE = 22_050;

/** What a WAV header says about the samples. */
export interface WavData {
  /** Byte offset of the first sample. */
  readonly offset: number;
  /** Number of 16-bit samples. */
  readonly samples: number;
}

const CHUNK_BYTES = 128 * 1024;

/** No writer puts more before the audio; without a limit a file of zeros is a million empty chunks. */
const MOST_CHUNKS = 64;

/** Sizes that stand for "until the end": the writer could not seek back to fill them in, as into a pipe. */
const UNKNOWN_SIZES = [0, 0xff_ff_ff_ff];

/**
 * Finds the samples of a WAV file: PCM s16le, mono, 22 050 Hz, other chunks anywhere before them.
 * @throws PermanentError `unreadable-audio` when the file is something else, cut short, or holds no sample.
 * @see Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), chapter 3
 */
export async function findData(file: FileHandle): Promise<WavData> {
  const { size: fileSize } = await file.stat();
  const riff = await bytes(file, 0, 12);
  if (riff.toString('latin1', 0, 4) !== 'RIFF' || riff.toString('latin1', 8, 12) !== 'WAVE')
    throw unreadable('it is not a WAV file');

  let position = 12;
  let known = false;
  for (let chunk = 0; chunk < MOST_CHUNKS; chunk++) {
    const header = await bytes(file, position, 8);
    if (header.length < 8) break;
    const id = header.toString('latin1', 0, 4);
    const size = header.readUInt32LE(4);
    position += 8;
    if (id === 'fmt ') {
      checkFormat(await bytes(file, position, 16));
      known = true;
    }
    if (id === 'data') {
      if (!known) throw unreadable('its samples come before their format');
      return { offset: position, samples: countSamples(size, fileSize - position) };
    }
    position += size + (size % 2);
  }
  throw unreadable('it has no samples');
}

/**
 * Reads the samples, scaled to ±1, in pieces of about three seconds.
 * @throws PermanentError `unreadable-audio` when the file has become shorter.
 */
export async function* readSamples(file: FileHandle, { offset, samples }: WavData): AsyncGenerator<Float32Array> {
  const end = offset + samples * 2;
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let position = offset; position < end;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK_BYTES, end - position), position);
    // A read may end inside a sample: that one is read again, whole.
    const piece = new Float32Array(Math.floor(bytesRead / 2));
    if (piece.length === 0) throw unreadable('it ended early');
    for (let i = 0; i < piece.length; i++) piece[i] = buffer.readInt16LE(i * 2) / 32_768;
    yield piece;
    position += piece.length * 2;
  }
}

function checkFormat(format: Buffer): void {
  if (format.length < 16) throw unreadable('its header is cut short');
  const [coding, channels, rate, bits] = [
    format.readUInt16LE(0),
    format.readUInt16LE(2),
    format.readUInt32LE(4),
    format.readUInt16LE(14),
  ];
  if (coding !== 1 || channels !== 1 || rate !== SAMPLE_RATE || bits !== 16)
    throw unreadable(
      `it has ${String(channels)} channels of ${String(bits)} bits at ${String(rate)} Hz in format ${String(coding)}`,
    );
}

function countSamples(size: number, left: number): number {
  if (!UNKNOWN_SIZES.includes(size) && size > left) throw unreadable(`${String(size - left)} of its bytes are missing`);
  const samples = Math.floor((UNKNOWN_SIZES.includes(size) ? left : size) / 2);
  if (samples === 0) throw unreadable('it has no samples');
  return samples;
}

async function bytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function unreadable(why: string): PermanentError {
  return new PermanentError(
    'unreadable-audio',
    `The audio cannot be read as 16-bit mono WAV at ${String(SAMPLE_RATE)} Hz: ${why}. Replay the request from stage-ffmpeg-0.`,
  );
}
