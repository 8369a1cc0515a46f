import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  chirp,
  ffmpeg,
  generateMedia,
  h264,
  mediaFolder,
  writeMedia,
  findMedia,
  createPicture,
  speech,
} from '../support/media.ts';

/** A request of the test: its upload and the expected result. */
export interface Input {
  readonly name: string;
  /** Path of the file; undefined if the machine does not have it. */
  readonly path: string | undefined;
  readonly options?: Readonly<Record<string, string>>;
  readonly expect: {
    readonly status: 'completed' | 'failed';
    readonly video?: boolean;
    readonly words?: RegExp | 'none' | 'any';
    readonly objects?: readonly string[];
    /** Width and height of the frames. */
    readonly size?: readonly [number, number];
    readonly code?: string | RegExp;
  };
}

/** A video with a synthetic voice, whose transcript is not checked. Another test checks words of real speech. */
function spoken(name: string): string {
  const voice = speech('voice.wav', 'one two three four five');
  const path = join(mediaFolder(), name);
  ffmpeg(...createPicture({ seconds: 4 }), '-i', voice, ...h264, '-shortest', path);
  return path;
}

/** Returns generated inputs, which every machine has. */
function generatedInputs(): Input[] {
  const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=44100:cl=mono:d=3'];
  const spokenVideo = spoken('spoken.mp4');
  return [
    { name: 'spoken', path: spokenVideo, expect: { status: 'completed', video: true, size: [320, 240] } },
    {
      name: '0.4 s',
      path: generateMedia('short.mp4', ...createPicture({ seconds: 0.4 }), ...chirp(0.4), ...h264),
      expect: { status: 'completed', video: true },
    },
    {
      name: 'no audio',
      path: generateMedia('mute.mp4', ...createPicture({ seconds: 2 }), ...h264),
      expect: { status: 'completed', video: true, words: 'none' },
    },
    {
      name: 'no video',
      path: generateMedia('sound.m4a', ...chirp(2), '-c:a', 'aac'),
      expect: { status: 'completed', video: false },
    },
    {
      name: 'silent audio',
      path: generateMedia('silent.mp4', ...createPicture({ seconds: 3 }), ...silence, ...h264),
      expect: { status: 'completed', video: true, words: 'none' },
    },
    {
      name: 'portrait',
      path: generateMedia('portrait.mp4', ...createPicture({ seconds: 2, size: '240x320' }), ...chirp(2), ...h264),
      expect: { status: 'completed', video: true, size: [240, 320] },
    },
    {
      name: '10 bit',
      path: generateMedia('ten.mkv', ...createPicture({ seconds: 2 }), ...chirp(2), '-pix_fmt', 'yuv420p10le', ...h264),
      expect: { status: 'completed', video: true },
    },
    {
      name: 'odd size',
      path: generateMedia(
        'odd.mp4',
        ...createPicture({ seconds: 2, size: '321x241' }),
        ...chirp(2),
        '-pix_fmt',
        'yuv444p',
        ...h264,
      ),
      expect: { status: 'completed', video: true },
    },
    {
      name: 'truncated',
      path: writeMedia('truncated.mp4', readFileSync(spokenVideo).subarray(0, 20_000)),
      expect: { status: 'failed', code: /./ },
    },
  ];
}

/** Returns inputs with real images and speech, which only some machines have. */
function recordedInputs(): Input[] {
  const file = (name: string, expect: Input['expect']): Input => ({ name, path: findMedia(name), expect });
  return [
    file('hevc-10bit-tiny.mp4', { status: 'completed', video: true, words: 'none', size: [200, 200] }),
    file('walk-and-talk.mp4', {
      status: 'completed',
      video: true,
      words: /fellow|americans|country/,
      objects: ['person', 'car', 'bottle'],
    }),
    file('portrait-rotated.mp4', {
      status: 'completed',
      video: true,
      words: /fellow|americans|country/,
      objects: ['person'],
      size: [360, 640],
    }),
    file('jfk.wav', { status: 'completed', video: false, words: /country/ }),
    file('audio-only-sonnet1.mp4', { status: 'completed', video: false, words: 'any' }),
    file('car-detection-silent-track.mp4', { status: 'completed', video: true, words: 'none', objects: ['car'] }),
    file('bottle-detection-no-audio.mp4', { status: 'completed', video: true, words: 'none', objects: ['bottle'] }),
    file('broken-truncated-no-moov.mp4', { status: 'failed', code: /./ }),
  ];
}

export function inputs(): Input[] {
  execFileSync('ffmpeg', ['-version']); // fails early if the file is missing
  return [...generatedInputs(), ...recordedInputs()];
}
