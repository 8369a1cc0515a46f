import { readResult, type Result } from '../../../shared/results/result.ts';
import type { CliContext, Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatClock, escapeControlCharacters } from '../../output/format.ts';
import { errorLines, statusText } from '../../output/request-summary.ts';
import { assertRequestId, isEnded } from '../../../shared/requests/read-request.ts';
import { cuesOf, toSrt, toVtt } from '../../../shared/results/subtitles.ts';
import { UsageError } from '../../../shared/core/errors.ts';
import { wrap } from '../../../shared/core/text.ts';

export interface ResultOptions {
  readonly json?: boolean;
  readonly srt?: boolean;
  readonly vtt?: boolean;
}

/** Prints what is said and seen in a request's video. */
export async function result(
  cli: CliContext,
  id: string,
  { json = false, srt = false, vtt = false }: ResultOptions,
): Promise<number> {
  if ([json, srt, vtt].filter(Boolean).length > 1) throw new UsageError('--json, --srt and --vtt exclude each other: choose one');
  assertRequestId(id);
  const found = await withStore(cli, (store) => readResult(store, id));
  if (json) cli.stdout.line(JSON.stringify(found));
  else if (srt) cli.stdout.write(toSrt(cuesOf(found.utterances)));
  else if (vtt) cli.stdout.write(toVtt(cuesOf(found.utterances)));
  else resultLines(found, cli.stdout).forEach(cli.stdout.line);
  if (!isEnded(found)) cli.stderr.line(`${id} is still ${found.status}: this is what there is so far`);
  return exitCodes.ok;
}

/** The timeline for people: a line an utterance or a seen thing, in the order of their beginnings. */
export function resultLines(
  { request_id, status, input, duration, engines, utterances: said, objects: seen, matches, errors }: Result,
  output: Output,
): string[] {
  const { style, columns } = output;
  const times = ({ start, end }: { start: number; end: number }): string =>
    `${formatClock(start).padStart(7)} – ${formatClock(end).padEnd(7)}`;
  const indent = ' '.repeat(times({ start: 0, end: 0 }).length + 8);
  const entry = (when: { start: number; end: number }, label: string, text: string): string[] => {
    const [first = '', ...more] = wrap(text, columns - indent.length);
    return [`${style('dim', times(when))}  ${label}  ${first}`, ...more.map((line) => indent + line)];
  };
  const entries = [
    ...said.map((each) => ({ start: each.start, lines: entry(each, style('cyan', 'said'), escapeControlCharacters(each.text)) })),
    ...seen.map((each) => {
      const many = each.count > 1 ? ` × ${each.count}` : '';
      return {
        start: each.start,
        lines: entry(each, style('yellow', 'seen'), `${escapeControlCharacters(each.label)}${many} (${each.score.toFixed(2)})`),
      };
    }),
    ...matches.map((each) => ({
      start: each.start,
      lines: entry(
        each,
        style('magenta', 'find'),
        `${escapeControlCharacters(each.query)} (${escapeControlCharacters(each.clip)})`,
      ),
    })),
  ].sort((a, b) => a.start - b.start);
  const heard = engines.length === 0 ? '' : `, heard by ${engines.join(', ')}`;
  return [
    `${style('bold', escapeControlCharacters(input ?? request_id))}  ${duration === null ? '' : `${formatClock(duration)}  `}${statusText(status, output)}${style('dim', heard)}`,
    '',
    ...(entries.length === 0 ? ['  nothing is said, and nothing known is seen'] : entries.flatMap(({ lines }) => lines)),
    ...(errors.length === 0 ? [] : ['', ...errorLines(errors, output)]),
  ];
}
