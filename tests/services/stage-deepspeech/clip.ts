import type { Transcript } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-deepspeech/stage.ts';
import { generateMedia, samplesOf } from '../../support/media.ts';
import { runStageLocally, type RunOptions, type Ran } from '../../support/stage-harness.ts';

/** Extracts audio like stage-ffmpeg-2 and returns its path. @param start In seconds. @param end In seconds. */
export function extractSpeech(name: string, path: string, start?: number, end?: number): string {
  const cut = [...(start === undefined ? [] : ['-ss', `${start}`]), ...(end === undefined ? [] : ['-to', `${end}`])];
  return generateMedia(name, ...cut, '-i', path, '-vn', '-ac', '1', '-ar', '16000', '-c:a', 'pcm_s16le');
}

/** Runs the stage on a WAV file that begins at `start` in its source. */
export async function transcribe(path: string, start = 0, given: RunOptions = {}): Promise<{ transcript: Transcript; ran: Ran }> {
  const end = start + samplesOf(path, 16_000).length / 16_000;
  const ran = await runStageLocally(stage, { kind: kinds.speech, path, indices: { clip: 1 }, attributes: { start, end } }, given);
  return { transcript: await ran.json<Transcript>(kinds.transcript), ran };
}
