import type { Totals } from '../../loadgen/record/pending-requests.ts';
import { summarizeDistribution, type Distribution, type LoadSummary } from '../../loadgen/record/summary.ts';
import type { Output } from '../context/cli.ts';
import { formatDuration } from './format.ts';
import { createRedraw } from './redraw.ts';

/** Intervals between two updates, on a terminal and elsewhere, in milliseconds. */
const REDRAW_INTERVAL_MS = 500;
const LINE_INTERVAL_MS = 5_000;

/** Shows the progress of a load on standard error: one redrawn line on a terminal, otherwise a line every few seconds. */
export function createLoadDisplay(output: Output): { watch(totals: () => Totals): void; end(): void } {
  const redraw = createRedraw(output);
  const started = performance.now();
  let show = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    watch(totals) {
      show = () => {
        const line = formatTotals(performance.now() - started, totals());
        if (output.live) redraw.draw([line.slice(0, output.columns)]);
        else output.line(line);
      };
      timer = setInterval(show, output.live ? REDRAW_INTERVAL_MS : LINE_INTERVAL_MS);
    },
    end() {
      clearInterval(timer);
      show();
      redraw.end();
    },
  };
}

/** Formats the totals of a load. @param elapsed Milliseconds. */
export function formatTotals(elapsed: number, { sent, open, completed, failed, latencies }: Totals): string {
  const { p50, p95 } = summarizeDistribution(latencies) ?? {};
  const format = (value: number | undefined): string => (value === undefined ? '–' : formatDuration(value));
  return `${formatDuration(elapsed)}: ${sent} sent, ${open} in flight, ${completed} done, ${failed} failed, p50 ${format(p50)}, p95 ${format(p95)}`;
}

/** Formats the summary of a load. */
export function formatLoadSummary(summary: LoadSummary & { readonly out: string }, { style }: Pick<Output, 'style'>): string[] {
  const { requests, completed, failed, rejected, error, unfinished, latency_ms, late_ms, out } = summary;
  const others = Object.entries({ failed, rejected, 'not uploaded': error, unfinished }).filter(([, count]) => count > 0);
  const counts = [`${completed} of ${requests} completed`, ...others.map(([name, count]) => style('red', `${count} ${name}`))];
  return [
    counts.join(', '),
    ...formatDistribution('latency from the planned arrival', latency_ms),
    ...formatDistribution('lateness of arrivals', late_ms),
    style('dim', `record: ${out}`),
  ];
}

function formatDistribution(name: string, distribution: Distribution | null): string[] {
  if (!distribution) return [];
  const { p50, p95, p99, max } = distribution;
  const text = (value: number): string => (value < 100 ? `${value.toFixed(1)} ms` : formatDuration(value));
  return [`${name}: p50 ${text(p50)}, p95 ${text(p95)}, p99 ${text(p99)}, max ${text(max)}`];
}
