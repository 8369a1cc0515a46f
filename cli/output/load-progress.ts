import type { Totals } from '../../loadgen/record/pending-requests.ts';
import { summarizeDistribution, type Distribution, type LoadSummary } from '../../loadgen/record/summary.ts';
import type { Output } from '../context/cli.ts';
import { duration } from './format.ts';
import { createRedraw } from './redraw.ts';

/** Milliseconds between two looks: for a person, and for a file of lines. */
const FRAME = 500;
const LINE = 5_000;

/** Shows on standard error how far a load is: one line drawn again on a terminal, else a line every few seconds. */
export function createLoadDisplay(output: Output): { watch(totals: () => Totals): void; end(): void } {
  const redraw = createRedraw(output);
  const begun = performance.now();
  let show = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    watch(totals) {
      show = () => {
        const line = totalsLine(performance.now() - begun, totals());
        if (output.live) redraw.draw([line.slice(0, output.columns)]);
        else output.line(line);
      };
      timer = setInterval(show, output.live ? FRAME : LINE);
    },
    end() {
      clearInterval(timer);
      show();
      redraw.end();
    },
  };
}

export function totalsLine(elapsed: number, { sent, open, completed, failed, latencies }: Totals): string {
  const { p50, p95 } = summarizeDistribution(latencies) ?? {};
  const text = (value: number | undefined): string => (value === undefined ? '–' : duration(value));
  return `${duration(elapsed)}: ${sent} sent, ${open} in flight, ${completed} done, ${failed} failed, p50 ${text(p50)}, p95 ${text(p95)}`;
}

/** A load's end, for people. */
export function summaryLines(summary: LoadSummary & { readonly out: string }, { style }: Pick<Output, 'style'>): string[] {
  const { requests, completed, failed, rejected, error, unfinished, latency_ms, late_ms, out } = summary;
  const others = Object.entries({ failed, rejected, 'not uploaded': error, unfinished }).filter(([, count]) => count > 0);
  const counts = [`${completed} of ${requests} completed`, ...others.map(([what, count]) => style('red', `${count} ${what}`))];
  return [
    counts.join(', '),
    ...distributionLine('latency, from the intended arrival', latency_ms),
    ...distributionLine('lateness of arrivals', late_ms),
    style('dim', `record: ${out}`),
  ];
}

function distributionLine(what: string, distribution: Distribution | null): string[] {
  if (!distribution) return [];
  const { p50, p95, p99, max } = distribution;
  const text = (value: number): string => (value < 100 ? `${value.toFixed(1)} ms` : duration(value));
  return [`${what}: p50 ${text(p50)}, p95 ${text(p95)}, p99 ${text(p99)}, max ${text(max)}`];
}
