import { open } from 'node:fs/promises';
import { wavHeader } from '../../shared/media/wav.ts';
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
    const pcm = Buffer.concat(pieces).subarray(0, maxSeconds === Infinity ? undefined : 2 * maxSeconds * SAMPLE_RATE);
    return new Uint8Array(Buffer.concat([wavHeader(SAMPLE_RATE, pcm.length), pcm]));
  } finally {
    await file.close();
  }
}
