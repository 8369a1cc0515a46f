import { constants, open, type FileHandle } from 'node:fs/promises';
import { PermanentError } from '../core/errors.ts';

/** The samples of an open WAV file. */
export interface Wav {
  /** Position of the first sample in the file, in bytes. */
  readonly offset: number;
  /** Number of samples; may be 0. */
  readonly samples: number;
  /**
   * Yields the samples, scaled to ±1, in pieces of about three seconds.
   * @throws PermanentError `unreadable-audio` if the file has become shorter.
   */
  pieces(): AsyncGenerator<Float32Array>;
}

interface Data {
  readonly offset: number;
  readonly samples: number;
}

const CHUNK_BYTES = 128 * 1024;

/** Length of the header of {@link wavHeader}, in bytes. */
export const WAV_HEADER_BYTES = 44;

/** Maximum number of chunks before the samples. A file of zeros is a million empty chunks. */
const MAX_CHUNKS = 64;

/** Sizes that mean "until the end of the file". A writer to a pipe cannot fill in the real size. */
const UNKNOWN_SIZES = [0, 0xff_ff_ff_ff];

/**
 * Opens a WAV file (PCM s16le, mono), calls `use`, and closes the file. Other chunks may precede the samples.
 * @param rate Required sample rate, in Hz.
 * @throws PermanentError `unreadable-audio` if the file has another format or is truncated.
 * @see Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), chapter 3
 */
export async function withWav<T>(path: string, rate: number, use: (wav: Wav) => Promise<T>): Promise<T> {
  const file = await open(path);
  try {
    const data = await findData(file, rate);
    return await use({ ...data, pieces: () => read(file, data) });
  } catch (error) {
    throw error instanceof Unreadable ? unreadable(rate, error.message) : error;
  } finally {
    await file.close();
  }
}

/** Returns the header of a WAV file (PCM s16le, mono). @param rate Hz. @param bytes Length of the samples. */
export function wavHeader(rate: number, bytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF    WAVEfmt ', 'latin1');
  header.writeUInt32LE(36 + bytes, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(2 * rate, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes, 40);
  return header;
}

/**
 * Gives a WAV file with the header of {@link wavHeader} an exact length: removes samples from its end, or appends silence. Without a
 * file it creates one of silence.
 */
export async function fitWav(
  path: string,
  { rate, samples }: { readonly rate: number; readonly samples: number },
): Promise<void> {
  const bytes = 2 * samples;
  const file = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    await file.write(wavHeader(rate, bytes), 0, WAV_HEADER_BYTES, 0);
    await file.truncate(WAV_HEADER_BYTES + bytes);
  } finally {
    await file.close();
  }
}

/** States why a file cannot be read. */
class Unreadable extends Error {}

/** Returns the error `unreadable-audio` for audio that a stage cannot process. */
export function unreadable(rate: number, reason: string): PermanentError {
  return new PermanentError(
    'unreadable-audio',
    `the audio is not a readable 16-bit mono WAV file at ${rate} Hz: ${reason}; replay the request from the stage that produced it`,
  );
}

async function findData(file: FileHandle, rate: number): Promise<Data> {
  const { size: fileSize } = await file.stat();
  const riff = await bytes(file, 0, 12);
  if (riff.toString('latin1', 0, 4) !== 'RIFF' || riff.toString('latin1', 8, 12) !== 'WAVE')
    throw new Unreadable('it is not a WAV file');

  let position = 12;
  let known = false;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk++) {
    const header = await bytes(file, position, 8);
    if (header.length < 8) break;
    const id = header.toString('latin1', 0, 4);
    const size = header.readUInt32LE(4);
    position += 8;
    if (id === 'fmt ') {
      checkFormat(await bytes(file, position, 16), rate);
      known = true;
    }
    if (id === 'data') {
      if (!known) throw new Unreadable('its samples come before their format');
      return { offset: position, samples: countSamples(size, fileSize - position) };
    }
    position += size + (size % 2);
  }
  throw new Unreadable('it has no samples');
}

async function* read(file: FileHandle, { offset, samples }: Data): AsyncGenerator<Float32Array> {
  const end = offset + samples * 2;
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let position = offset; position < end;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK_BYTES, end - position), position);
    // A read may end inside a sample, which the next read starts with.
    const piece = new Float32Array(Math.floor(bytesRead / 2));
    if (piece.length === 0) throw new Unreadable('it is shorter than its header states');
    for (let i = 0; i < piece.length; i++) piece[i] = buffer.readInt16LE(i * 2) / 32_768;
    yield piece;
    position += piece.length * 2;
  }
}

function checkFormat(format: Buffer, expected: number): void {
  if (format.length < 16) throw new Unreadable('its header is cut short');
  const [coding, channels, rate, bits] = [
    format.readUInt16LE(0),
    format.readUInt16LE(2),
    format.readUInt32LE(4),
    format.readUInt16LE(14),
  ];
  if (coding !== 1 || channels !== 1 || rate !== expected || bits !== 16)
    throw new Unreadable(`it has ${channels} channels of ${bits} bits at ${rate} Hz in format ${coding}`);
}

function countSamples(size: number, left: number): number {
  if (!UNKNOWN_SIZES.includes(size) && size > left) throw new Unreadable(`${size - left} of its bytes are missing`);
  return Math.floor((UNKNOWN_SIZES.includes(size) ? left : size) / 2);
}

async function bytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
