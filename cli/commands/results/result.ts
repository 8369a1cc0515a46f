import { readResult, type Result } from '../../../shared/results/result.ts';
import { listEntries } from '../../../shared/results/timeline.ts';
import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatClock } from '../../output/format.ts';
import { formatErrors, formatInput, formatStatus } from '../../output/request-summary.ts';
import { hasSeveralSpeakers } from '../../../shared/results/speakers.ts';
import { formatSpeaker, toSrt, toVtt } from '../../../shared/results/subtitles.ts';
import { UsageError } from '../../../shared/core/errors.ts';
import { wrap } from '../../../shared/core/text.ts';

export interface ResultOptions {
  readonly json?: boolean;
  readonly srt?: boolean;
  readonly vtt?: boolean;
}

/** Prints the speech and the objects in the video of a request. */
export async function result(
  cli: CliContext,
  id: string,
  { json = false, srt = false, vtt = false }: ResultOptions,
): Promise<number> {
  if ([json, srt, vtt].filter(Boolean).length > 1) throw new UsageError('use only one of --json, --srt and --vtt');
  const found = await withStore(cli, (store) => readResult(store, id));
  if (json) cli.stdout.line(toJson({ ...found, timeline: listEntries(found) }));
  else if (srt) cli.stdout.write(toSrt(found));
  else if (vtt) cli.stdout.write(toVtt(found));
  else formatResult(found, cli.stdout).forEach(cli.stdout.line);
  for (const notice of found.notices ?? []) cli.stderr.line(notice);
  if (found.status === 'accepted' || found.status === 'running')
    cli.stderr.line(`${id} is still ${found.status}: the result is incomplete`);
  return exitCodes.ok;
}

/** Formats a timeline: one line per utterance, object and match, in order of their start. */
export function formatResult(
  { request_id, status, input, duration, engines, utterances, objects, matches, errors }: Result,
  output: Output,
): string[] {
  const { style, columns } = output;
  const times = ({ start, end }: { start: number; end: number }): string =>
    `${formatClock(start).padStart(7)} – ${formatClock(end).padEnd(7)}`;
  const indent = ' '.repeat(times({ start: 0, end: 0 }).length + 8);
  const format = (span: { start: number; end: number }, label: string, text: string): string[] => {
    const [first = '', ...more] = wrap(text, columns - indent.length);
    return [`${style('dim', times(span))}  ${label}  ${first}`, ...more.map((line) => indent + line)];
  };
  const several = hasSeveralSpeakers(utterances);
  const entries = [
    ...utterances.map((each) => ({
      start: each.start,
      lines: format(
        each,
        style('cyan', 'said'),
        several && each.speaker ? `${formatSpeaker(each.speaker)}: ${each.text}` : each.text,
      ),
    })),
    ...objects.map((each) => {
      const count = each.count > 1 ? ` × ${each.count}` : '';
      return {
        start: each.start,
        lines: format(each, style('yellow', 'seen'), `${each.label}${count} (${each.score.toFixed(2)})`),
      };
    }),
    ...matches.map((each) => ({
      start: each.start,
      lines: format(each, style('magenta', 'find'), `${each.query} (${each.clip})`),
    })),
  ].sort((a, b) => a.start - b.start);
  // Clips without speech have the engine `none`.
  const used = engines.filter((name) => name !== 'none');
  const transcribed = used.length === 0 ? '' : `, transcribed by ${used.join(', ')}`;
  return [
    `${style('bold', formatInput({ request_id, input }) || request_id)}  ${duration === null ? '' : `${formatClock(duration)}  `}${formatStatus(status, output)}${style('dim', transcribed)}`,
    '',
    ...(entries.length === 0 && errors.length === 0
      ? ['  no speech and no objects were recognised']
      : entries.flatMap(({ lines }) => lines)),
    ...(errors.length === 0 ? [] : [...(entries.length === 0 ? [] : ['']), ...formatErrors(errors, output)]),
  ];
}
