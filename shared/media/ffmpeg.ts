/**
 * Demuxers that may open an upload. Playlists (hls, dash, concat, sdp), image sequences, subtitles and devices are excluded:
 * they open further files or addresses named in the upload, so they could read the worker's disk or network.
 */
const FORMATS = ['mov,matroska,avi,flv,asf,mpegts,mpeg,mxf,nut,ogg', 'wav,w64,mp3,aac,ac3,eac3,flac,aiff,caf,amr,au,wv'].join(
  ',',
);

/** Input options of ffmpeg and ffprobe for every file from outside. */
export const UNTRUSTED: readonly string[] = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', FORMATS];

/**
 * Number of pixels of a frame above which no decoder starts, independent of the operator's limits. A decoder would allocate memory for
 * all of them before it reads one. 16 384 pixels per side, four times the default limit.
 */
const MAX_PIXELS = 16_384 ** 2;

/** Returns a path that ffmpeg does not take for an option or a protocol. */
export function fileUrl(path: string): string {
  return `file:${path}`;
}

/** Returns the input arguments of ffmpeg for one untrusted file. @param options Further input options, such as `-ss`. */
export function fileInput(path: string, ...options: readonly string[]): string[] {
  return [...UNTRUSTED, '-max_pixels', String(MAX_PIXELS), ...options, '-i', fileUrl(path)];
}

/** Options of ffmpeg before its inputs. */
export const GLOBAL_OPTIONS: readonly string[] = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'];

/**
 * Returns the arguments of ffmpeg with one output.
 * @param input Arguments of the input, from {@link fileInput}.
 * @param output Output options.
 */
export function ffmpegArgs(input: readonly string[], output: readonly string[], target: string): string[] {
  return [...GLOBAL_OPTIONS, ...input, ...outputArgs(output, target)];
}

/**
 * Returns the arguments of one output. It is bit-exact, without encoder names, dates and metadata of the source, so equal input
 * gives equal bytes.
 */
export function outputArgs(options: readonly string[], target: string): string[] {
  return [...options, '-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-flags', '+bitexact', target];
}
