/** `npm run chaos -- --seed S --minutes M [--faults a,b,…] [--json]`: injects faults into a separate instance under load; exits with 1 if a guarantee is violated. */
import { Command, InvalidArgumentError } from 'commander';
import { assertBuilt } from '../../../bench/instance/instance.ts';
import { runChaos } from './chaos.ts';
import { faultNames, usualFaults, type FaultName } from './faults.ts';
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
  .option('--json', 'print one line of JSON')
  .action(
    async ({
      json = false,
      ...options
    }: {
      seed: number;
      minutes: number;
      faults: FaultName[];
      open: number;
      json?: boolean;
    }) => {
      assertBuilt();
      const report = await runChaos({ ...options, progress: json ? () => undefined : print });
      if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
      else formatReport(report).forEach((line) => process.stdout.write(`${line}\n`));
      process.exitCode = report.broken.length > 0 ? 1 : 0;
    },
  )
  .parseAsync();
