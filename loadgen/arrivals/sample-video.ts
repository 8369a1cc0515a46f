import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { exec } from '../../shared/tools/exec.ts';

/** What the sample says, with pauses to cut in. Of a dozen sentences those that pocketsphinx, made for people, hears best from a machine. */
export const SAMPLE_SENTENCES = [
  'The people in this picture are looking at you.',
  'There is a large house near the river.',
  'We will be there tomorrow morning at seven.',
];

/** A photograph with people in it, which the detector's model package ships. */
export function findSamplePhotograph(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'assets', 'samples.jpg');
}

/** Slow speech, with a second between the sentences (SSML). */
export function speechArgs(output: string, sentences: readonly string[]): string[] {
  const ssml = `<speak>${sentences.join('<break time="1200ms"/>')}</speak>`;
  return ['-v', 'en-us', '-s', '130', '-m', '-w', output, ssml];
}

/** The lower part of the photograph for as long as the speech lasts; the upper part is a row of small pictures. */
export function videoArgs(photograph: string, speech: string, output: string): string[] {
  return [
    ...['-nostdin', '-v', 'error', '-y'],
    ...['-loop', '1', '-framerate', '25', '-i', photograph, '-i', speech],
    ...[
      '-vf',
      'crop=iw:iw*9/16:0:ih-oh,scale=1280:720,setsar=1,format=yuv420p',
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'stillimage',
      '-g',
      '50',
    ],
    ...['-c:a', 'aac', '-ar', '44100', '-shortest', '-movflags', '+faststart', output],
  ];
}

/**
 * Makes a video with speech and a picture, about five seconds a sentence. @param dir gets it. @returns its path.
 * @throws PermanentError `no-sample` naming what is missing.
 */
export async function createSampleVideo(dir: string, signal: AbortSignal, sentences = SAMPLE_SENTENCES): Promise<string> {
  const photograph = findSamplePhotograph();
  await access(photograph).catch((cause: unknown) => {
    throw new PermanentError('no-sample', `${photograph} is missing: run npm ci, or name a video: fave demo VIDEO`, { cause });
  });
  const [speech, video] = [join(dir, 'speech.wav'), join(dir, 'sample.mp4')];
  try {
    await exec('espeak-ng', speechArgs(speech, sentences), { cwd: dir, signal });
    await exec('ffmpeg', videoArgs(photograph, speech, video), { cwd: dir, signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new PermanentError(
      'no-sample',
      'the sample video could not be made: install ffmpeg and espeak-ng, or name a video: fave demo VIDEO',
      { cause },
    );
  }
  return video;
}
