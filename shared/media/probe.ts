import { basename } from 'node:path';
import { PermanentError } from '../core/errors.ts';
import type { Exec } from '../tools/exec.ts';
import { ToolError } from '../tools/tool-error.ts';
import { fileUrl, UNTRUSTED } from './ffmpeg.ts';
import type { Media } from '../../schemas/generated/types.ts';

/** What ffprobe says of a file; every field may be missing, as the file may lie. */
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

/** A file's streams, with what only the probe needs to say: they are not all part of `media.json`. */
export interface Probe extends Media {
  /** Seconds; where the file's own clock begins. */
  readonly start: number;
  /** Streams of every sort. */
  readonly streams: number;
}

/** Arguments of ffprobe for one file. @param extra Such as `-count_packets`. */
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
 * Reads a file's container and streams. A duration of 0 means that the container states none.
 * @throws PermanentError `not-media` where ffprobe cannot open the file.
 */
export async function probe(exec: Exec, path: string, ...extra: readonly string[]): Promise<Probe> {
  try {
    const { stdout } = await exec('ffprobe', probeArgs(path, ...extra));
    return readProbe(JSON.parse(stdout) as ProbeOutput);
  } catch (cause) {
    // Killed, timed out or not installed says nothing about the file.
    if (!(cause instanceof ToolError) || cause.code !== 'tool-failed' || cause.killedBy) throw cause;
    throw new PermanentError(
      'not-media',
      `"${basename(path)}" is not a video or audio file that can be read: it is damaged, incomplete or of another type; check that it plays, and upload it under a new request id`,
      { cause, stderr: cause.stderr ?? '' },
    );
  }
}

/** Picks what FAVE needs from ffprobe's answer: the first real video stream and the first audio stream that are described at all. */
export function readProbe({ format = {}, streams = [] }: ProbeOutput): Probe {
  const video = streams.find((s) => s.codec_type === 'video' && s.disposition?.attached_pic !== 1);
  const audio = streams.find((s) => s.codec_type === 'audio');
  return {
    format: format.format_name ?? 'unknown',
    start: number(format.start_time),
    duration: Math.max(0, number(format.duration)),
    size: number(format.size),
    streams: streams.length,
    video: video ? videoOf(video) : null,
    audio: audio ? audioOf(audio) : null,
  };
}

function videoOf(stream: ProbeStream): Media['video'] {
  const { codec_name: codec, width = 0, height = 0, pix_fmt: pixelFormat } = stream;
  if (!codec || width < 1 || height < 1 || isEmpty(stream)) return null;
  const rotation = rotationOf(stream);
  const sideways = rotation === 90 || rotation === 270;
  return {
    codec,
    width: sideways ? height : width,
    height: sideways ? width : height,
    rotation,
    fps: ratio(stream.avg_frame_rate) || ratio(stream.r_frame_rate),
    pixel_format: pixelFormat ?? 'unknown',
  };
}

function audioOf(stream: ProbeStream): Media['audio'] {
  const { codec_name: codec, channels = 0 } = stream;
  const sampleRate = number(stream.sample_rate);
  if (!codec || channels < 1 || sampleRate < 1 || isEmpty(stream)) return null;
  return { codec, sample_rate: sampleRate, channels };
}

/** Whether packets were counted (`-count_packets`) and there are none: a track that a copy left without content. */
function isEmpty(stream: ProbeStream): boolean {
  return stream.nb_read_packets === '0';
}

/** Clockwise degrees of the display matrix, which ffprobe gives counterclockwise; players turn by right angles only. */
function rotationOf(stream: ProbeStream): 0 | 90 | 180 | 270 {
  const counterclockwise = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const quarters = Math.round(-number(counterclockwise) / 90);
  return ((((quarters % 4) + 4) % 4) * 90) as 0 | 90 | 180 | 270;
}

/** `30000/1001` as a number; 0 for `0/0` and whatever is no ratio. */
function ratio(text = ''): number {
  const [numerator, denominator = '1'] = text.split('/');
  const value = Number(numerator) / Number(denominator);
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1000) / 1000 : 0;
}

function number(value: string | number | undefined): number {
  const parsed = Number(value ?? 0);
  return Number.isFinite(parsed) ? parsed : 0;
}
