import { readFileSync } from 'node:fs';
import { chirp, generateMedia, h264, findMedia, createPicture } from '../../support/media.ts';

/** A file from which mutants are derived. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Real media; the long ones would only be read longer. */
const REAL = [
  'walk-and-talk.mp4',
  'walk-and-talk-copy.webm',
  'bottle-detection-no-audio.mp4',
  'portrait-rotated.mp4',
  'hevc-10bit-tiny.mp4',
  'audio-only-sonnet1.mp4',
  'broken-truncated-no-moov.mp4',
  'jfk.wav',
];

const short = [...createPicture({ seconds: 1, size: '160x120' }), ...chirp(1, 22_050)];

/** One file for each demuxer that may open uploads and whose format ffmpeg can write. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  'a.mp4': [...short, ...h264],
  'fragmented.mp4': [...short, ...h264, '-movflags', 'frag_keyframe+empty_moov'],
  'a.mov': [...short, '-c:v', 'mjpeg', '-c:a', 'pcm_s16be'],
  'a.mkv': [...short, '-c:v', 'mpeg4', '-c:a', 'libopus'],
  'a.webm': [...short, '-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libvorbis'],
  'a.avi': [...short, '-c:v', 'mpeg4', '-c:a', 'mp3'],
  'a.flv': [...short, '-c:v', 'flv', '-c:a', 'mp3'],
  'a.ts': [...short, '-c:v', 'mpeg2video', '-c:a', 'mp2'],
  'a.mpg': [...short, '-c:v', 'mpeg1video', '-c:a', 'mp2'],
  'a.wmv': [...short, '-c:v', 'wmv2', '-c:a', 'wmav2'],
  'a.mxf': [...short, '-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', '-ar', '48000'],
  'a.nut': [...short, '-c:v', 'ffv1', '-c:a', 'flac'],
  'a.ogg': [...chirp(1), '-c:a', 'libvorbis'],
  'a.mp3': chirp(1),
  'a.aac': [...chirp(1), '-c:a', 'aac'],
  'a.ac3': chirp(1),
  'a.eac3': chirp(1),
  'a.flac': chirp(1),
  'a.aiff': chirp(1),
  'a.caf': chirp(1),
  'a.w64': chirp(1),
  'a.au': chirp(1),
  'a.wv': chirp(1),
};

/** Returns the files to damage: real media if available, and one second of each format. */
export function seeds(): Seed[] {
  const real = REAL.flatMap((name) => findMedia(name) ?? []);
  const made = Object.entries(MADE).map(([name, args]) => generateMedia(`seed-${name}`, ...args));
  return [...real, ...made].map((path) => ({ name: path.slice(path.lastIndexOf('/') + 1), bytes: readFileSync(path) }));
}
