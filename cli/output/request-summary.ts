import { basename } from 'node:path';
import type { RequestState } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { kindFolder, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Output } from '../context/cli.ts';
import { formatDuration } from './format.ts';
import { shorten, wrap } from '../../shared/core/text.ts';

/** Summary of a request, as `submit --json` prints it. All fields are always present. */
export interface RequestSummary {
  readonly request_id: string;
  readonly file: string;
  /** `submitted`: the command did not wait for the end. */
  readonly status: RequestState['status'] | 'submitted';
  readonly duration_ms: number | null;
  readonly stages: NonNullable<RequestState['stages']>;
  readonly outputs: NonNullable<RequestState['outputs']>;
  readonly errors: NonNullable<RequestState['errors']>;
}

/** Creates a summary. @param end State of the ended request. */
export function toSummary(request_id: string, file: string, end?: RequestState): RequestSummary {
  const { status = 'submitted', duration_ms = null, stages = {}, outputs = {}, errors = [] } = end ?? {};
  return { request_id, file, status, duration_ms, stages, outputs, errors };
}

const COLOURS = {
  completed: 'green',
  failed: 'red',
  ignored: 'yellow',
  rejected: 'red',
  cancelled: 'yellow',
  accepted: 'cyan',
  running: 'cyan',
  submitted: 'cyan',
} as const;

/** Formats a status with its colour. */
export function formatStatus(status: RequestSummary['status'], { style }: Pick<Output, 'style'>): string {
  return style(COLOURS[status], status);
}

/** Returns the name of the input of a request; of a refused upload, whose state contains the key, the path below the request. */
export function formatInput({ request_id, input }: { readonly request_id: string; readonly input?: string | null }): string {
  return (input ?? '').replace(requestPrefix(request_id), '').replace(kindFolder(kinds.input), '');
}

/** Formats a summary: one line, then the errors. */
export function formatSummary(
  { request_id, file, status, duration_ms, outputs, errors }: RequestSummary,
  output: Output,
): string[] {
  const duration = duration_ms === null ? '' : ` in ${formatDuration(duration_ms)}`;
  const counts = Object.entries(outputs)
    .filter(([kind]) => kind !== 'input')
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
  return [
    `${output.style('bold', shorten(basename(file), 32))}  ${request_id}  ${formatStatus(status, output)}${duration}`,
    ...(counts === '' ? [] : wrap(counts, output.columns - 2).map((line) => `  ${output.style('dim', line)}`)),
    ...formatErrors(errors, output),
  ];
}

/** Formats errors: code, stage and item; message; file. */
export function formatErrors(errors: RequestSummary['errors'], { columns, style }: Output): string[] {
  return errors.flatMap(({ stage, item, code, message, file }) => {
    const source = [stage, item].filter((part) => part !== undefined).join(' ');
    return [
      `  ${style('red', code)}${source === '' ? '' : ` in ${source}`}`,
      ...wrap(message, columns - 4).map((line) => `    ${line}`),
      `    ${style('dim', file)}`,
    ];
  });
}
