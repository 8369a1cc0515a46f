import { join } from 'node:path';
import { exec } from '../../../support/exec.ts';

/** Sentences of the videos. Each video has two, with a pause between them. */
const SENTENCES = [
  'There is a large house near the river.',
  'We will be there tomorrow morning at seven.',
  'The people in this picture are looking at you.',
  'She took the last train home in the evening.',
  'The water in the glass is very cold.',
];

/** Returns espeak-ng arguments for the two sentences of a video (SSML). */
export function voiceArgs(n: number, output: string): string[] {
  const sentence = (shift: number): string => SENTENCES[(n + shift) % SENTENCES.length] ?? '';
  return [
    '-v',
    'en-us',
    '-s',
    '150',
    '-m',
    '-w',
    output,
    `<speak>${sentence(0)}<break time="1500ms"/>${sentence(2)} Number ${n}.</speak>`,
  ];
}

/** Returns ffmpeg arguments for a small video with a distinct colour, as long as the voice, at most 12 s. */
export function pictureArgs(n: number, voice: string, output: string): string[] {
  return [
    ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=320x240:r=15:d=12,hue=h=${n * 37}`, '-i', voice],
    ...[
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '30',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
    ],
    ...['-t', '12', '-shortest', output],
  ];
}

/** Creates `count` different videos of 6 to 12 s in `dir` and returns their paths. */
export async function createVideos(count: number, dir: string): Promise<string[]> {
  const videos: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const [voice, video] = [join(dir, `voice-${n}.wav`), join(dir, `video-${n}.mp4`)];
    await exec('espeak-ng', voiceArgs(n, voice), { cwd: dir });
    await exec('ffmpeg', pictureArgs(n, voice, video), { cwd: dir });
    videos.push(video);
  }
  return videos;
}
