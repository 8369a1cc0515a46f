import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg';

/**
 * Demuxers that may open what a user sent. Playlists (hls, dash, concat, sdp), image sequences, subtitles and devices are
 * left out: they open further files or addresses named by the upload, and so would read the worker's disk or network.
 */
const FORMATS = ['mov,matroska,avi,flv,asf,mpegts,mpeg,mxf,nut,ogg', 'wav,w64,mp3,aac,ac3,eac3,flac,aiff,caf,amr,au,wv'].join(
  ',',
);

/** Input options for every file that came from outside, for ffmpeg and ffprobe alike. */
export const UNTRUSTED: readonly string[] = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', FORMATS];

/**
 * Pixels of a picture above which no decoder begins, whatever an operator admits: it would ask for the memory of all of them before
 * it has seen one. 16 384 pixels a side, four times what is admitted by default.
 */
const MOST_PIXELS = 16_384 ** 2;

/** A path that no ffmpeg takes for an option or for a protocol, whatever it begins with. */
export function fileUrl(path: string): string {
  return `file:${path}`;
}

/**
 * Begins an ffmpeg command that reads one user file. fluent-ffmpeg only builds the arguments: `exec` runs them, with the
 * process group, deadline and environment that fluent-ffmpeg's own `run` does not know.
 * @param options Input options besides the safe ones, such as `-ss`.
 */
export function createFileCommand(path: string, ...options: readonly string[]): FfmpegCommand {
  return ffmpeg()
    .input(fileUrl(path))
    .inputOptions(...UNTRUSTED, '-max_pixels', String(MOST_PIXELS), ...options);
}

/** Begins an ffmpeg command that reads a lavfi source of our own, such as `anullsrc`. */
export function createLavfiCommand(filter: string): FfmpegCommand {
  return ffmpeg().input(filter).inputFormat('lavfi');
}

/**
 * The arguments of a command, for `exec('ffmpeg', …)`. Its output is bit-exact: no encoder names, dates or metadata of the
 * source, so that equal input gives equal bytes.
 */
export function argumentsOf(command: FfmpegCommand, target: string): string[] {
  command
    .output(target)
    .outputOptions('-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-flags', '+bitexact');
  // Private by name only: the package is archived, so this method cannot change; its public way is to run the command itself.
  const { _getArguments } = command as FfmpegCommand & { _getArguments(): (string | number)[] };
  return ['-nostdin', '-hide_banner', '-loglevel', 'error', ..._getArguments.call(command).map(String)];
}
