/** `npm run bench -- NAME`: progress on standard error, one line of JSON on standard output. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FaveError } from '../shared/core/errors.ts';
import type { Bench } from './report/bench.ts';
import { describeMachine, type Target } from './report/figures.ts';
import { accuracy } from './benches/accuracy.ts';
import { cold } from './benches/cold.ts';
import { cpu } from './benches/cpu.ts';
import { detector } from './benches/detector.ts';
import { drain } from './benches/drain.ts';
import { e2e } from './benches/e2e.ts';
import { deliveryLatency } from './benches/delivery-latency.ts';
import { memory } from './benches/memory.ts';
import { overhead } from './benches/overhead.ts';
import { scale } from './benches/scale.ts';
import { speech } from './benches/speech.ts';
import { tracing } from './benches/tracing.ts';

const benches: readonly Bench[] = [
  deliveryLatency,
  overhead,
  drain,
  e2e,
  cpu,
  cold,
  memory,
  detector,
  scale,
  tracing,
  accuracy,
  speech,
];

/** Exit code if a target was not met. */
const TARGET_MISSED = 2;

const report = (line: string): void => void process.stderr.write(`${line}\n`);

/** Options of the command line. */
interface Options {
  readonly n: number;
  readonly model?: string;
  readonly only?: string;
  readonly json?: boolean;
}

async function measure(bench: Bench, { json: quiet = false, ...options }: Options): Promise<void> {
  const before = describeMachine();
  const begun = new Date();
  const { targets, figures } = await bench.run({ ...options, progress: quiet ? () => undefined : report });
  const seconds = Math.round((Date.now() - begun.getTime()) / 1_000);
  const result = {
    bench: bench.name,
    date: begun.toISOString(),
    ...options,
    seconds,
    before,
    after: describeMachine(),
    targets,
    figures,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!quiet) for (const target of targets) report(formatTarget(target));
  if (targets.some(({ met }) => !met)) process.exitCode = TARGET_MISSED;
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
  const command = program
    .command(bench.name)
    .description(bench.about)
    .option('-n, --n <number>', 'number of repetitions', count, bench.n)
    .option('--json', 'print only the line of JSON')
    .action((options: Options) => measure(bench, options));
  if (bench.model !== undefined)
    command.option('--model <name>', 'Whisper model: tiny.en, base, …, or the path of a ggml file', bench.model);
  if (bench.workloads) command.addOption(new Option('--only <workload>', 'measure one workload').choices([...bench.workloads]));
}
try {
  await program.parseAsync();
} catch (error) {
  report(error instanceof FaveError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
