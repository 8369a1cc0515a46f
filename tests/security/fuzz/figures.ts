/** Counts outcomes and keeps the slowest case. */
export interface Figures {
  add(outcome: string, milliseconds: number, name: string): void;
  /** Returns the number of cases per outcome, most frequent first. */
  counts(): Record<string, number>;
  /** Formats the counts and the slowest case as text. */
  report(title: string): string;
}

export function figures(): Figures {
  const counted = new Map<string, number>();
  let slowest = { name: 'none', milliseconds: 0 };
  let total = 0;
  const counts = (): Record<string, number> => Object.fromEntries([...counted].sort(([, a], [, b]) => b - a));
  return {
    add: (outcome, milliseconds, name) => {
      counted.set(outcome, (counted.get(outcome) ?? 0) + 1);
      total += milliseconds;
      if (milliseconds > slowest.milliseconds) slowest = { name, milliseconds };
    },
    counts,
    report: (title) => {
      const lines = Object.entries(counts()).map(([outcome, count]) => `  ${String(count).padStart(7)}  ${outcome}`);
      const slow = `  slowest ${Math.round(slowest.milliseconds)} ms (${slowest.name}); ${(total / 1_000).toFixed(1)} s in all`;
      return [title, ...lines, slow, ''].join('\n');
    },
  };
}
