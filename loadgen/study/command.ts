import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { regimeNames } from '../../infra/deployment/regimes.ts';
import { FaveError } from '../../shared/core/errors.ts';
import { loadNames, defaultLoads } from './plan/loads.ts';
import type { Platform } from './system/platform.ts';
import { runStudy, type StudyOptions } from './study.ts';

/** Options as parsed by commander. */
interface Options extends Omit<StudyOptions, 'platform' | 'repeats' | 'signal' | 'progress'> {
  readonly repeats: number;
  readonly repeat?: number;
  readonly on: Platform['name'];
}

const report = (line: string): void => void process.stderr.write(`${line}\n`);

function above0(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return value;
}

/** Returns a parser of comma-separated names. */
function listOf<T extends string>(names: readonly T[]): (text: string) => T[] {
  return (text) => {
    const selected = text.split(',');
    const unknown = selected.find((name) => !(names as readonly string[]).includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`unknown name ${unknown}; available: ${names.join(', ')}`);
    return selected as T[];
  };
}

/**
 * Runs the command line of a study: every regime under every load. Progress goes to standard error, one line of JSON per cell to standard
 * output. @param run Runs the study; default: in this process.
 */
export async function runStudyCommand(
  platform: Platform,
  run: (study: () => Promise<void>) => Promise<void> = (study) => study(),
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      report('stopping; the next study repeats the interrupted cell …');
      stop.abort(new DOMException('interrupted', 'AbortError'));
    });

  const program = new Command('study')
    .description('Runs and records all combinations of regimes and loads (docs/study.md).')
    .option('--regimes <names>', 'regimes, separated by commas', listOf(regimeNames), [...regimeNames])
    .option('--loads <names>', `loads, separated by commas: ${loadNames.join(', ')}`, listOf(loadNames), [...defaultLoads])
    .option('--repeats <n>', 'number of repeats per combination', whole, 3)
    .option('--repeat <n>', 'run only this repeat', whole)
    .option('--duration <seconds>', 'duration of the load in a cell', above0, 60)
    .option('--wait <seconds>', 'timeout for the last requests of a cell', above0, 120)
    .option('--video <file>', 'video to upload (default: a generated sample)')
    .option('--seed <n>', 'seed of the cell order and of the arrivals', whole, 1)
    .option('--capacity <n>', 'requests per second that keep all cores busy (default: measured once per directory)', above0)
    .option('--out <dir>', 'directory of the records; recorded cells are skipped', 'experiments')
    .addOption(new Option('--on <platform>', 'platform').choices([platform.name]).default(platform.name))
    .action(({ repeat, repeats, out, on: _, ...options }: Options) =>
      run(async () => {
        const selectedRepeats = repeat === undefined ? Array.from({ length: repeats }, (_, n) => n + 1) : [repeat];
        const cells = await runStudy({
          ...options,
          platform,
          repeats: selectedRepeats,
          out: resolve(out),
          signal: stop.signal,
          progress: report,
        });
        for (const cell of cells) process.stdout.write(`${JSON.stringify(cell)}\n`);
        if (cells.some(({ status }) => status === 'broken')) process.exitCode = 1;
      }),
    );
  try {
    await program.parseAsync();
  } catch (error) {
    if (stop.signal.aborted) process.exitCode = 130;
    else {
      report(error instanceof FaveError ? error.message : String(error instanceof Error ? error.stack : error));
      process.exitCode = 1;
    }
  }
}
