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

/** Returns the input arguments of ffmpeg for a lavfi source, such as `anullsrc`. */
export function lavfiInput(filter: string): string[] {
  return ['-f', 'lavfi', '-i', filter];
}

/**
 * Returns the arguments of ffmpeg. The output is bit-exact, without encoder names, dates and metadata of the source, so equal
 * input gives equal bytes.
 * @param input Arguments up to the input, from {@link fileInput} or {@link lavfiInput}.
 * @param output Output options.
 */
export function ffmpegArgs(input: readonly string[], output: readonly string[], target: string): string[] {
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'],
    ...input,
    ...output,
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-flags', '+bitexact'],
    target,
  ];
}
