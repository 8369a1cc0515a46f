import { open } from 'node:fs/promises';
import type { TranscriptionInput } from './engine.ts';
import { SAMPLE_RATE } from './voice-activity.ts';
import type { Window } from './windows.ts';

/** Reads the audio of a window as a WAV file (PCM s16le, mono, 16 kHz) of at most `maxSeconds`. */
export async function readWindow(
  { wav, header }: Pick<TranscriptionInput, 'wav' | 'header'>,
  { parts }: Window,
  maxSeconds = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(wav);
  try {
    const pieces: Buffer[] = [];
    for (const { start, end } of parts) {
      const from = 2 * Math.round(start * SAMPLE_RATE);
      const to = 2 * Math.round(end * SAMPLE_RATE);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, header + from);
      pieces.push(buffer.subarray(0, bytesRead));
    }
    return toWav(Buffer.concat(pieces).subarray(0, maxSeconds === Infinity ? undefined : 2 * maxSeconds * SAMPLE_RATE));
  } finally {
    await file.close();
  }
}

function toWav(pcm: Buffer): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(44);
  header.write('RIFF');
  header.writeUInt32LE(36 + pcm.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(2 * SAMPLE_RATE, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(pcm.length, 40);
  return new Uint8Array(Buffer.concat([header, pcm]));
}
