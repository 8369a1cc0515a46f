/** `npm run chaos -- --seed S --minutes M [--faults a,b,…] [--hostile] [--json]`: injects faults into a separate instance under load, or uploads resource bombs; exits with 1 if a guarantee is violated. */
import { Command, InvalidArgumentError } from 'commander';
import { assertBuilt } from '../../../bench/instance/instance.ts';
import { runChaos } from './chaos.ts';
import { faultNames, usualFaults, type FaultName } from './faults.ts';
import { runHostile } from './hostile/hostile.ts';
import { formatHostileReport } from './hostile/report.ts';
import { formatReport } from './report.ts';

const print = (line: string): void => void process.stderr.write(`${line}\n`);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function faultList(text: string): FaultName[] {
  const names = text.split(',');
  const unknown = names.find((name) => !(faultNames as string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`unknown fault ${unknown}; available: ${faultNames.join(', ')}`);
  return names as FaultName[];
}

await new Command('chaos')
  .description('Injects faults into a separate instance under load and reports whether all guarantees hold.')
  .option('--seed <number>', 'seed of the random faults', Number, Date.now() % 1e6)
  .option('--minutes <number>', 'duration of load and faults', positive, 5)
  .option('--faults <names>', `faults, separated by commas: ${faultNames.join(',')}`, faultList, usualFaults)
  .option('--open <number>', 'number of concurrent requests', positive, 2)
  .option('--hostile', 'upload resource bombs beside normal videos, instead of faults')
  .option('--json', 'print one line of JSON')
  .action(
    async ({
      json = false,
      hostile = false,
      ...options
    }: {
      seed: number;
      minutes: number;
      faults: FaultName[];
      open: number;
      json?: boolean;
      hostile?: boolean;
    }) => {
      assertBuilt();
      const progress = json ? () => undefined : print;
      const run = async () => {
        const report = await runChaos({ ...options, progress });
        return { report, lines: formatReport(report) };
      };
      const runHostileUploads = async () => {
        const report = await runHostile(options.minutes, progress);
        return { report, lines: formatHostileReport(report) };
      };
      const { report, lines } = await (hostile ? runHostileUploads() : run());
      for (const line of json ? [JSON.stringify(report)] : lines) process.stdout.write(`${line}\n`);
      process.exitCode = report.broken.length > 0 ? 1 : 0;
    },
  )
  .parseAsync();
