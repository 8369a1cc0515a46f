import { graph } from '../../../services/pipeline.ts';
import { messageOf, UsageError } from '../../../shared/core/errors.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { age, escapeControlCharacters, shorten, table } from '../../output/format.ts';
import {
  byRequest,
  dropLetters,
  readLetters,
  redrive,
  type DeadLetterFilter,
  type StoredLetter,
} from '../../../shared/requests/redrive.ts';
import { assertRequestId } from '../../../shared/requests/read-request.ts';
import { wrap } from '../../../shared/core/text.ts';

export interface LetterOptions {
  readonly stage?: string;
  readonly id?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Lists dead letters. */
export function listLetters(cli: CliContext, options: LetterOptions): Promise<number> {
  const choice = choiceOf([], options);
  return withBus(cli, async (bus) => {
    const letters = await readLetters(bus, choice);
    if (options.json) for (const letter of letters) cli.stdout.line(JSON.stringify(letter));
    else if (letters.length === 0) cli.stderr.line('no dead letters');
    else letterLines(letters, cli.stdout, Date.now()).forEach(cli.stdout.line);
    return exitCodes.ok;
  });
}

/** Prints all that dead letters say. */
export function showLetters(cli: CliContext, seqs: readonly string[], options: LetterOptions): Promise<number> {
  const choice = choiceOf(seqs, options);
  return withBus(cli, async (bus) => {
    const letters = await readLetters(bus, choice);
    if (letters.length === 0) cli.stderr.line('no dead letters');
    for (const letter of letters)
      (options.json ? [JSON.stringify(letter)] : storyLines(letter, cli.stdout)).forEach(cli.stdout.line);
    return exitCodes.ok;
  });
}

/** Gives the items of dead letters to their stages again. */
export function redriveLetters(cli: CliContext, seqs: readonly string[], options: LetterOptions): Promise<number> {
  const choice = someChoiceOf('redrive', seqs, options);
  return withStore(cli, (store) =>
    withBus(cli, async (bus) => {
      let code: number = exitCodes.ok;
      const letters = await readLetters(bus, choice);
      for (const [requestId, own] of byRequest(letters)) {
        try {
          const { run } = await redrive(bus, store, graph, requestId, own);
          cli.stdout.line(
            `${requestId}  run ${run}: ${own.length} ${own.length === 1 ? 'item' : 'items'} again (${own.map(({ stage, item }) => `${stage} ${item}`).join(', ')})`,
          );
        } catch (error) {
          // One request's letters must not keep the others waiting.
          cli.stderr.line(`${requestId}: ${messageOf(error)}`);
          code = exitCodes.failed;
        }
      }
      if (letters.length === 0) cli.stderr.line('no dead letters');
      return code;
    }),
  );
}

/** Removes dead letters. */
export function removeLetters(cli: CliContext, seqs: readonly string[], options: LetterOptions): Promise<number> {
  const choice = someChoiceOf('drop', seqs, options);
  return withBus(cli, async (bus) => {
    const letters = await readLetters(bus, choice);
    await dropLetters(bus, letters);
    cli.stdout.line(`${letters.length} ${letters.length === 1 ? 'letter' : 'letters'} dropped`);
    return exitCodes.ok;
  });
}

/** @throws UsageError where a stage, an id or a sequence is none. */
function choiceOf(seqs: readonly string[], { stage, id }: LetterOptions): DeadLetterFilter {
  if (id !== undefined) assertRequestId(id);
  const names = graph.stages.map(({ name }) => name);
  if (stage !== undefined && !names.includes(stage))
    throw new UsageError(`there is no stage "${stage}": there are ${names.join(', ')}`);
  const wrong = seqs.find((seq) => !/^[1-9]\d{0,14}$/.test(seq));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no letter's number: fave dlq ls lists them in the column SEQ`);
  return { stage, id, seqs: seqs.map(Number) };
}

function someChoiceOf(command: string, seqs: readonly string[], options: LetterOptions): DeadLetterFilter {
  const { stage, id, all = false } = options;
  if (!all && stage === undefined && id === undefined && seqs.length === 0)
    throw new UsageError(`say which letters: fave dlq ${command} SEQ…, --id ID, --stage STAGE, or --all`);
  return choiceOf(seqs, options);
}

/** @param now Milliseconds since 1970. */
function letterLines(letters: readonly StoredLetter[], { style }: Output, now: number): string[] {
  const rows = letters.map(({ seq, failed_at, stage, item, code }) => [
    String(seq),
    age(now - Date.parse(failed_at)),
    stage,
    shorten(item, 16),
    code,
  ]);
  const [head = '', ...lines] = table([['SEQ', 'AGE', 'STAGE', 'ITEM', 'CODE'], ...rows]);
  return [
    style('dim', head),
    ...lines.flatMap((line, n) => [line, style('dim', `    of ${letters[n]?.landed.request_id ?? ''}`)]),
  ];
}

function storyLines(
  { seq, stage, item, code, message, file, stderr, deliveries, landed, failed_at }: StoredLetter,
  { style, columns }: Output,
): string[] {
  const rows = [
    ['request', `${landed.request_id}, run ${landed.run}`],
    ['item', `${stage} ${item}`],
    ['file', escapeControlCharacters(file)],
    ['failed', `${failed_at}, delivered ${deliveries} ${deliveries === 1 ? 'time' : 'times'}`],
  ];
  return [
    `${style('bold', `letter ${seq}`)}  ${style('red', code)}`,
    ...wrap(escapeControlCharacters(message), columns - 2).map((line) => `  ${line}`),
    ...table(rows).map((line) => `  ${style('dim', line)}`),
    ...(stderr === undefined
      ? []
      : [
          '  its last words:',
          ...stderr
            .trimEnd()
            .split('\n')
            .map((line) => `    ${escapeControlCharacters(line)}`),
        ]),
    '',
  ];
}
