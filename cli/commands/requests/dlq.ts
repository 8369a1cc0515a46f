import { graph } from '../../../services/pipeline.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { messageOf, UsageError } from '../../../shared/core/errors.ts';
import { shorten, wrap } from '../../../shared/core/text.ts';
import {
  deleteDeadLetters,
  groupByRequest,
  readDeadLetters,
  redrive,
  type DeadLetterFilter,
  type StoredDeadLetter,
} from '../../../shared/requests/redrive.ts';
import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatAge, formatCount, formatTable } from '../../output/format.ts';

export interface DeadLetterOptions {
  readonly stage?: string;
  readonly id?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Lists dead letters. */
export function listDeadLetters(cli: CliContext, options: DeadLetterOptions): Promise<number> {
  return print(cli, [], options, (deadLetters) => formatDeadLetters(deadLetters, cli.stdout, Date.now()));
}

/** Prints dead letters in full. */
export function showDeadLetters(cli: CliContext, seqs: readonly string[], options: DeadLetterOptions): Promise<number> {
  return print(cli, seqs, options, (deadLetters) =>
    deadLetters.flatMap((deadLetter) => formatDeadLetter(deadLetter, cli.stdout)),
  );
}

async function print(
  cli: CliContext,
  seqs: readonly string[],
  options: DeadLetterOptions,
  format: (deadLetters: readonly StoredDeadLetter[]) => string[],
): Promise<number> {
  const deadLetters = await withBus(cli, (bus) => readSelected(cli, bus, parseFilter(seqs, options)));
  const lines = options.json ? deadLetters.map((each) => toJson(each)) : deadLetters.length === 0 ? [] : format(deadLetters);
  lines.forEach(cli.stdout.line);
  return exitCodes.ok;
}

/** Sends the items of dead letters to their stages again. */
export async function redriveDeadLetters(cli: CliContext, seqs: readonly string[], options: DeadLetterOptions): Promise<number> {
  const filter = parseRequiredFilter('redrive', seqs, options);
  let code: number = exitCodes.ok;
  await withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      for (const [requestId, deadLetters] of groupByRequest(await readSelected(cli, bus, filter))) {
        const items = deadLetters.map(({ stage, item }) => `${stage} ${item}`).join(', ');
        try {
          const run = await redrive(bus, store, graph, requestId, deadLetters);
          cli.stdout.line(`${requestId}  run ${run}: ${formatCount(deadLetters.length, 'item')} redriven (${items})`);
        } catch (error) {
          // Continue with the other requests.
          cli.stderr.line(`${requestId}: ${messageOf(error)}`);
          code = exitCodes.failed;
        }
      }
    }),
  );
  return code;
}

/** Deletes dead letters. */
export async function dropDeadLetters(cli: CliContext, seqs: readonly string[], options: DeadLetterOptions): Promise<number> {
  const filter = parseRequiredFilter('drop', seqs, options);
  await withBus(cli, async (bus) => {
    const deadLetters = await readSelected(cli, bus, filter);
    await deleteDeadLetters(bus, deadLetters);
    cli.stdout.line(`${formatCount(deadLetters.length, 'dead letter')} removed`);
  });
  return exitCodes.ok;
}

async function readSelected(cli: CliContext, bus: Bus, filter: DeadLetterFilter): Promise<StoredDeadLetter[]> {
  const deadLetters = await readDeadLetters(bus, graph, filter);
  if (deadLetters.length === 0) cli.stderr.line('no dead letters');
  return deadLetters;
}

/** @throws UsageError for an invalid sequence. */
function parseFilter(seqs: readonly string[], { stage, id }: DeadLetterOptions): DeadLetterFilter {
  const invalid = seqs.find((seq) => !/^[1-9]\d{0,14}$/.test(seq));
  if (invalid !== undefined)
    throw new UsageError(`"${invalid}" is not the number of a dead letter: fave dlq ls prints it in the column SEQ`);
  return { stage, id, seqs: seqs.map(Number) };
}

/** @throws UsageError also without any selection. */
function parseRequiredFilter(command: string, seqs: readonly string[], options: DeadLetterOptions): DeadLetterFilter {
  const { stage, id, all = false } = options;
  if (!all && stage === undefined && id === undefined && seqs.length === 0)
    throw new UsageError(`select dead letters: fave dlq ${command} SEQ…, --id ID, --stage STAGE, or --all`);
  return parseFilter(seqs, options);
}

/** @param now Milliseconds since 1970. */
function formatDeadLetters(deadLetters: readonly StoredDeadLetter[], { style }: Output, now: number): string[] {
  const rows = deadLetters.map(({ seq, failed_at, stage, item, code }) => [
    String(seq),
    formatAge(now - Date.parse(failed_at)),
    stage,
    shorten(item, 16),
    code,
  ]);
  const [head = '', ...lines] = formatTable([['SEQ', 'AGE', 'STAGE', 'ITEM', 'CODE'], ...rows]);
  return [
    style('dim', head),
    ...lines.flatMap((line, n) => [line, style('dim', `    request ${deadLetters[n]?.landed.request_id ?? ''}`)]),
  ];
}

function formatDeadLetter(
  { seq, stage, item, code, message, file, stderr, deliveries, landed, failed_at }: StoredDeadLetter,
  { style, columns }: Output,
): string[] {
  const rows = [
    ['request', `${landed.request_id}, run ${landed.run}`],
    ['item', `${stage} ${item}`],
    ['file', file],
    ['failed', `${failed_at}, after ${deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`}`],
  ];
  const stderrLines =
    stderr === undefined
      ? []
      : [
          '  last lines of stderr:',
          ...stderr
            .trimEnd()
            .split('\n')
            .map((line) => `    ${line}`),
        ];
  return [
    `${style('bold', `dead letter ${seq}`)}  ${style('red', code)}`,
    ...wrap(message, columns - 2).map((line) => `  ${line}`),
    ...formatTable(rows).map((line) => `  ${style('dim', line)}`),
    ...stderrLines,
    '',
  ];
}
