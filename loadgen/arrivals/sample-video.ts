import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { createExec } from '../../shared/tools/exec.ts';

/** Sentences of the sample, spoken with pauses between them. pocketsphinx recognises them in synthesised speech. */
export const SAMPLE_SENTENCES = [
  'The people in this picture are looking at you.',
  'There is a large house near the river.',
  'We will be there tomorrow morning at seven.',
];

/** Returns the path of a photograph of people, which is part of the package with the detector model. */
export function findSamplePhotograph(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'assets', 'samples.jpg');
}

/** Returns espeak-ng arguments for slow speech with pauses between sentences (SSML). */
export function speechArgs(output: string, sentences: readonly string[]): string[] {
  const ssml = `<speak>${sentences.join('<break time="1200ms"/>')}</speak>`;
  return ['-v', 'en-us', '-s', '130', '-m', '-w', output, ssml];
}

/** Returns ffmpeg arguments for a video of the lower part of the photograph (the upper part is a row of thumbnails), as long as the speech. */
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
 * Creates a video with speech, about five seconds per sentence. @param dir Output directory. @returns Path of the video.
 * @throws PermanentError `no-sample` with the missing prerequisite.
 */
export async function createSampleVideo(dir: string, signal: AbortSignal, sentences = SAMPLE_SENTENCES): Promise<string> {
  const photograph = findSamplePhotograph();
  await access(photograph).catch((cause: unknown) => {
    throw new PermanentError('no-sample', `${photograph} is missing: run npm ci, or pass a video: fave demo VIDEO`, { cause });
  });
  const exec = createExec({ env: process.env });
  const [speech, video] = [join(dir, 'speech.wav'), join(dir, 'sample.mp4')];
  try {
    await exec('espeak-ng', speechArgs(speech, sentences), { cwd: dir, signal });
    await exec('ffmpeg', videoArgs(photograph, speech, video), { cwd: dir, signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new PermanentError(
      'no-sample',
      'cannot create the sample video: install ffmpeg and espeak-ng, or pass a video: fave demo VIDEO',
      { cause },
    );
  }
  return video;
}
