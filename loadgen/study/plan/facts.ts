import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { CellMachine, CellVideo } from '../../../schemas/generated/types.ts';
import { root } from '../../../infra/process/paths.ts';
import { createExec } from '../../../shared/tools/exec.ts';
import type { Video } from '../../arrivals/mix.ts';

/** Returns the processor, memory and operating system of this machine. */
export function describeMachine(): CellMachine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_mb: Math.round(totalmem() / 1e6),
    os: `${platform()} ${release()} ${arch()}`,
  };
}

/** Reads the commit of the sources, with a suffix if the working tree has changes. */
export async function readCommit(): Promise<string> {
  const exec = createExec({ env: process.env });
  const git = async (...args: readonly string[]): Promise<string> => (await exec('git', args, { cwd: root })).stdout.trim();
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no');
    return `${await git('rev-parse', 'HEAD')}${changed === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

/** Returns size, hash and duration of a video. */
export async function describeVideo({ name, path, sha256, size }: Video): Promise<CellVideo> {
  const { stdout } = await createExec({ env: process.env })('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'format=duration',
    '-of',
    'csv=p=0',
    path,
  ]);
  return { name, sha256, size, duration_s: Number(stdout.trim()) };
}
