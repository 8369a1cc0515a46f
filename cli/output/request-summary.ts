import { basename } from 'node:path';
import type { RequestState } from '../../schemas/generated/types.ts';
import type { Output } from '../context/cli.ts';
import { duration, escapeControlCharacters, shorten } from './format.ts';
import { wrap } from '../../shared/core/text.ts';

/** The end of a request as `submit --json` prints it; every field is always there. */
export interface RequestSummary {
  readonly request_id: string;
  readonly file: string;
  /** `submitted` when nobody waited for the end. */
  readonly status: RequestState['status'] | 'submitted';
  readonly duration_ms: number | null;
  readonly stages: NonNullable<RequestState['stages']>;
  readonly outputs: NonNullable<RequestState['outputs']>;
  readonly errors: NonNullable<RequestState['errors']>;
}

export function outcomeOf(request_id: string, file: string, end?: RequestState): RequestSummary {
  const { status = 'submitted', duration_ms = null, stages = {}, outputs = {}, errors = [] } = end ?? {};
  return { request_id, file, status, duration_ms, stages, outputs, errors };
}

const COLOURS = {
  completed: 'green',
  failed: 'red',
  rejected: 'red',
  cancelled: 'yellow',
  accepted: 'cyan',
  running: 'cyan',
  submitted: 'cyan',
} as const;

/** A status in its colour. */
export function statusText(status: RequestSummary['status'], { style }: Pick<Output, 'style'>): string {
  return style(COLOURS[status], status);
}

/** How a request ended, for people: one line, then what failed. */
export function outcomeLines(
  { request_id, file, status, duration_ms, outputs, errors }: RequestSummary,
  output: Output,
): string[] {
  const took = duration_ms === null ? '' : ` in ${duration(duration_ms)}`;
  const made = Object.entries(outputs)
    .filter(([kind]) => kind !== 'input')
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
  return [
    `${output.style('bold', shorten(escapeControlCharacters(basename(file)), 32))}  ${request_id}  ${statusText(status, output)}${took}`,
    ...(made === '' ? [] : wrap(made, output.columns - 2).map((line) => `  ${output.style('dim', line)}`)),
    ...errorLines(errors, output),
  ];
}

/** Errors of a request: stage, item and code; the sentence; the file. */
export function errorLines(errors: RequestSummary['errors'], { columns, style }: Output): string[] {
  return errors.flatMap(({ stage, item, code, message, file }) => {
    const where = [stage, item].filter((part) => part !== undefined).join(' ');
    return [
      `  ${style('red', code)}${where === '' ? '' : ` in ${where}`}`,
      ...wrap(escapeControlCharacters(message), columns - 4).map((line) => `    ${line}`),
      `    ${style('dim', escapeControlCharacters(file))}`,
    ];
  });
}
