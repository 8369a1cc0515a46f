import { basename } from 'node:path';
import { PermanentError } from '../core/errors.ts';
import type { Exec } from '../tools/exec.ts';
import { ToolError } from '../tools/tool-error.ts';
import { fileUrl, UNTRUSTED } from './ffmpeg.ts';
import type { Media } from '../../schemas/generated/types.ts';

/** Output of ffprobe. Every field may be missing in a damaged file. */
export interface ProbeOutput {
  readonly format?: ProbeFormat;
  readonly streams?: readonly ProbeStream[];
}

interface ProbeFormat {
  readonly format_name?: string;
  readonly start_time?: string;
  readonly duration?: string;
  readonly size?: string;
}

interface ProbeStream {
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly avg_frame_rate?: string;
  readonly r_frame_rate?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly nb_read_packets?: string;
  readonly disposition?: { readonly attached_pic?: number };
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

/** Format and streams of a file. It contains more than `media.json`. */
export interface Probe extends Media {
  /** Start of the clock of the file, in seconds. */
  readonly start: number;
  /** Number of streams of all types. */
  readonly streams: number;
}

/** Returns the arguments of ffprobe for one file. @param extra Further options, such as `-count_packets`. */
export function probeArgs(path: string, ...extra: readonly string[]): string[] {
  return [
    '-hide_banner',
    '-loglevel',
    'error',
    ...UNTRUSTED,
    ...extra,
    '-show_format',
    '-show_streams',
    '-of',
    'json',
    fileUrl(path),
  ];
}

/**
 * Probes the container and the streams of a file. The duration is 0 if the container does not state it.
 * @throws PermanentError `not-media` if ffprobe cannot open the file.
 */
export async function probe(exec: Exec, path: string, ...extra: readonly string[]): Promise<Probe> {
  try {
    const { stdout } = await exec('ffprobe', probeArgs(path, ...extra));
    return readProbe(JSON.parse(stdout) as ProbeOutput);
  } catch (cause) {
    // A missing, killed or slow ffprobe is not the fault of the file.
    if (!(cause instanceof ToolError) || cause.code !== 'tool-failed' || cause.killedBy) throw cause;
    throw new PermanentError(
      'not-media',
      `"${basename(path)}" is not a readable video or audio file: it is damaged, incomplete or of another type; check that it plays, and upload it under a new request id`,
      { cause, stderr: cause.stderr ?? '' },
    );
  }
}

/** Returns the fields that FAVE uses from the output of ffprobe: those of the first video stream, except cover pictures, and the first audio stream. */
export function readProbe({ format = {}, streams = [] }: ProbeOutput): Probe {
  const video = streams.find((s) => s.codec_type === 'video' && s.disposition?.attached_pic !== 1);
  const audio = streams.find((s) => s.codec_type === 'audio');
  return {
    format: format.format_name ?? 'unknown',
    start: parseNumber(format.start_time),
    duration: Math.max(0, parseNumber(format.duration)),
    size: parseNumber(format.size),
    streams: streams.length,
    video: video ? toVideo(video) : null,
    audio: audio ? toAudio(audio) : null,
  };
}

function toVideo(stream: ProbeStream): Media['video'] {
  const { codec_name: codec, width = 0, height = 0, pix_fmt: pixelFormat } = stream;
  if (!codec || width < 1 || height < 1 || isEmpty(stream)) return null;
  const rotation = toRotation(stream);
  const sideways = rotation === 90 || rotation === 270;
  return {
    codec,
    width: sideways ? height : width,
    height: sideways ? width : height,
    rotation,
    fps: parseRatio(stream.avg_frame_rate) || parseRatio(stream.r_frame_rate),
    pixel_format: pixelFormat ?? 'unknown',
  };
}

function toAudio(stream: ProbeStream): Media['audio'] {
  const { codec_name: codec, channels = 0 } = stream;
  const sampleRate = parseNumber(stream.sample_rate);
  if (!codec || channels < 1 || sampleRate < 1 || isEmpty(stream)) return null;
  return { codec, sample_rate: sampleRate, channels };
}

/** Returns whether ffprobe counted packets (`-count_packets`) and found none. A stream copy can leave such a track. */
function isEmpty(stream: ProbeStream): boolean {
  return stream.nb_read_packets === '0';
}

/** Returns the clockwise rotation of the display matrix in degrees. ffprobe reports it counterclockwise; players rotate by right angles only. */
function toRotation(stream: ProbeStream): 0 | 90 | 180 | 270 {
  const counterclockwise = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const quarters = Math.round(-parseNumber(counterclockwise) / 90);
  return ((((quarters % 4) + 4) % 4) * 90) as 0 | 90 | 180 | 270;
}

/** Parses a ratio such as `30000/1001`; returns 0 for `0/0` and invalid text. */
function parseRatio(text = ''): number {
  const [numerator, denominator = '1'] = text.split('/');
  const value = Number(numerator) / Number(denominator);
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1000) / 1000 : 0;
}

function parseNumber(value: string | number | undefined): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}
