/** `npm run bench -- NAME`: progress on standard error, one line of JSON on standard output. */
import { Command, InvalidArgumentError } from 'commander';
import { FaveError } from '../shared/core/errors.ts';
import type { Bench } from './report/bench.ts';
import { describeMachine, type Target } from './report/figures.ts';
import { cold } from './benches/cold.ts';
import { drain } from './benches/drain.ts';
import { e2e } from './benches/e2e.ts';
import { deliveryLatency } from './benches/delivery-latency.ts';
import { memory } from './benches/memory.ts';
import { overhead } from './benches/overhead.ts';
import { scale } from './benches/scale.ts';
import { tracing } from './benches/tracing.ts';

const benches: readonly Bench[] = [deliveryLatency, overhead, drain, e2e, cold, memory, scale, tracing];

const report = (line: string): void => void process.stderr.write(`${line}\n`);

async function measure(bench: Bench, n: number, quiet: boolean): Promise<void> {
  const before = describeMachine();
  const begun = new Date();
  const { targets, figures } = await bench.run({ n, progress: quiet ? () => undefined : report });
  const seconds = Math.round((Date.now() - begun.getTime()) / 1_000);
  const result = { bench: bench.name, date: begun.toISOString(), n, seconds, before, after: describeMachine(), targets, figures };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!quiet) for (const target of targets) report(formatTarget(target));
}

function formatTarget({ name, measured, limit, met }: Target): string {
  return `${met ? 'met    ' : 'NOT MET'}  ${name}: ${measured} (${limit})`;
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return n;
}

const program = new Command('bench').description('Runs benchmarks of FAVE on this machine.');
for (const bench of benches) {
  program
    .command(bench.name)
    .description(bench.about)
    .option('-n, --n <number>', 'number of repetitions', count, bench.n)
    .option('--json', 'print only the line of JSON')
    .action(({ n, json = false }: { n: number; json?: boolean }) => measure(bench, n, json));
}
try {
  await program.parseAsync();
} catch (error) {
  report(error instanceof FaveError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
