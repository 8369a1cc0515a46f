import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Receipt } from '../../schemas/generated/types.ts';
import type { Clip } from '../peers/programs/transcribe.ts';

/** A job of the script: sequential commands in a separate directory. */
export interface Job {
  /** Working directory, relative to the directory of the script. */
  readonly dir: string;
  readonly commands: readonly (readonly string[])[];
  /** Symbolic links to inputs: paths in `dir`, with targets that are absolute or relative to the directory of the script. */
  readonly links?: Readonly<Record<string, string>>;
  /** Content of small input files. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Inputs that receipts do not contain: files that a stage wrote for its tool or for the next stage. */
export interface ScriptInputs {
  /** Path of the uploaded file. */
  readonly source: string;
  /** Audio of the clips with speech, with absolute paths. */
  readonly clips: readonly Clip[];
  /** Manifests of the frames by item. */
  readonly frames: Readonly<Record<string, string>>;
  /** Commands for the computations that stages run in their own process. */
  readonly librosa: (audio: string) => readonly string[];
  readonly detector: (folders: readonly string[]) => readonly string[];
  readonly speech: (list: string) => readonly string[];
}

/**
 * Plans the work of a request as phases of jobs, from the commands in its receipts. Jobs of a phase run in parallel; phases are
 * sequential. The detector and the speech recogniser are one process each, and run in parallel.
 */
export function planPhases(
  receipts: readonly Receipt[],
  { source, clips, frames, librosa, detector, speech }: ScriptInputs,
): Job[][] {
  const of = (stage: string): Receipt[] => receipts.filter((receipt) => receipt.stage === stage);
  const commands = ({ tools }: Receipt): string[][] => tools.map(({ command, args }) => [command, ...args]);
  const input = { [`sources/input/${source.slice(source.lastIndexOf('/') + 1)}`]: source };
  const number = (item: string): number => Number(item.slice('clip_'.length));

  const audio = of('stage-ffmpeg-0').map((receipt) => ({ dir: 'audio', commands: commands(receipt), links: input }));
  const cut = { dir: 'cut', commands: of('stage-ffmpeg-1').flatMap(commands), links: input };
  const sound = {
    dir: 'speech',
    commands: of('stage-ffmpeg-2').flatMap(commands),
    links: Object.fromEntries(
      of('stage-ffmpeg-2').map(({ item }) => [
        `sources/audio/${Number(item.slice('batch_'.length))}/audio.wav`,
        'audio/audio.wav',
      ]),
    ),
  };
  const pictures = of('stage-ffmpeg-3').map((receipt) => {
    const clip = number(receipt.item);
    const links = { [`sources/clip/${clip}/clip.mp4`]: `cut/clip_${clip}.mp4` };
    const files = { 'frames.json': frames[receipt.item] ?? '' };
    return { dir: `pictures/${clip}`, commands: commands(receipt), links, files };
  });
  const transcripts = {
    dir: 'transcripts',
    commands: clips.length > 0 ? [speech('clips.json')] : [],
    files: { 'clips.json': JSON.stringify(clips) },
  };
  const segments = { dir: 'segments', commands: [librosa('../audio/audio.wav')] };
  const objects = { dir: 'objects', commands: [detector(pictures.map(({ dir }) => `../${dir}`))] };
  return [audio, [segments], [cut], [sound, ...pictures], [objects, transcripts]];
}

/** Writes jobs to `dir`; `sh {dir}/run.sh` runs them. @param parallel Number of parallel jobs. */
export async function writeScript(phases: readonly (readonly Job[])[], dir: string, parallel: number): Promise<void> {
  const lines: string[] = ['set -e'];
  for (const [phase, jobs] of phases.entries()) {
    for (const [n, job] of jobs.entries()) {
      await layOut(job, dir);
      const text = [
        'set -e',
        `cd ${quoted(join(dir, job.dir))}`,
        ...job.commands.map((command) => command.map(quoted).join(' ')),
      ];
      await writeFile(join(dir, `${phase}-${String(n).padStart(4, '0')}.sh`), `${text.join('\n')}\n`);
    }
    lines.push(`printf '%s\\n' ${quoted(dir)}/${phase}-*.sh | xargs -P ${parallel} -n 1 sh > /dev/null`);
  }
  await writeFile(join(dir, 'run.sh'), `${lines.join('\n')}\n`);
}

async function layOut({ dir, links = {}, files = {} }: Job, root: string): Promise<void> {
  await mkdir(join(root, dir), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, dir, path), text);
  for (const [path, target] of Object.entries(links)) {
    const link = join(root, dir, path);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target.startsWith('/') ? target : join(root, target), link);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
