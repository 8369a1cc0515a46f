/** `npm run chaos -- --seed S --minutes M [--faults a,b,…] [--json]`: injects faults into a separate instance under load; exits with 1 if a guarantee is violated. */
import { Command, InvalidArgumentError } from 'commander';
import { assertBuilt } from '../../../bench/instance/instance.ts';
import { runChaos } from './chaos.ts';
import { faultNames, usualFaults, type FaultName } from './faults.ts';
import { formatReport } from './report.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function faultList(text: string): FaultName[] {
  const names = text.split(',');
  const unknown = names.find((name) => !(faultNames as string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no fault ${unknown}; there are ${faultNames.join(', ')}`);
  return names as FaultName[];
}

await new Command('chaos')
  .description('Breaks a FAVE of its own under load, and says whether every promise was kept.')
  .option('--seed <number>', 'chooses the faults: the same seed, the same faults', Number, Date.now() % 1e6)
  .option('--minutes <number>', 'how long there are load and faults', positive, 5)
  .option('--faults <names>', `some of ${faultNames.join(',')}`, faultList, usualFaults)
  .option('--open <number>', 'requests that are under way at once', positive, 2)
  .option('--json', 'one line of JSON and nothing else')
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
      const report = await runChaos({ ...options, progress: json ? () => undefined : say });
      if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
      else formatReport(report).forEach((line) => process.stdout.write(`${line}\n`));
      process.exitCode = report.broken.length > 0 ? 1 : 0;
    },
  )
  .parseAsync();
