import type { Interval } from '../measures/statistics.ts';

/** A table of formatted cells. */
export interface Table {
  /** File name without extension. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Formats a number with fixed digits; returns `–` if it is not finite. */
export function format(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '–';
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

export interface Scale {
  readonly scale: number;
  readonly digits: number;
}

/** Formats an interval as `value [low, high]`, divided by `scale`. */
export function formatInterval({ value, low, high }: Interval, { scale, digits }: Scale): string {
  const [v, l, h] = [value, low, high].map((each) => format(each / scale, digits));
  return `${v} [${l}, ${h}]`;
}

/** Formats a p value; never returns 0. */
export const formatP = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

export const inSeconds: Scale = { scale: 1_000, digits: 2 };
export const inPercent: Scale = { scale: 0.01, digits: 1 };
export const inCost: Scale = { scale: 1, digits: 2 };

/** Formats a table as CSV (RFC 4180). */
export function toCsv({ columns, rows }: Table): string {
  const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return [columns, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** Formats a table as GitHub Flavored Markdown. */
export function toMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(columns) + line(columns.map(() => '---')) + rows.map(line).join('');
}
