import { countColumns } from '../../shared/core/text.ts';

/** Text for people. Every function is pure. */

/** Formats a position in a video, in seconds: `0:04.2`, `1:02:03.4`. */
export function formatClock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const [h, m, s] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  const rest = s.toFixed(1).padStart(4, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${rest}` : `${m}:${rest}`;
}

/** Formats a duration: `340 ms`, `9.8 s`, `3 min 5 s`, `2 h 4 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** Formats an age: `4 s`, `12 min`, `3 h`, `5 d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Formats a size in decimal units: `512 B`, `1.4 MB`. */
export function formatBytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let power = 0;
  while (size >= 1_000 && power < units.length - 1) {
    size /= 1_000;
    power += 1;
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power] ?? ''}`;
}

/** Formats a number of things: `1 object`, `2 objects`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Aligns the columns of a table; the last one has no maximum width. `style` receives padded cells. */
export function formatTable(
  rows: readonly (readonly string[])[],
  style: (cell: string, column: number, row: number) => string = (cell) => cell,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => countColumns(row[column] ?? ''))));
  return rows.map((row, r) =>
    row
      .map((cell, column) => style(column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0), column, r))
      .join('  ')
      .trimEnd(),
  );
}

function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - countColumns(text)));
}
