import type { Output } from '../context/cli.ts';
import { formatProgress, type RequestProgress } from './progress.ts';
import { createRedraw } from './redraw.ts';

/** Interval between two redraws, in milliseconds. */
const REDRAW_INTERVAL_MS = 200;

/** Shows the progress of requests on standard error: redrawn on a terminal, otherwise one line per event. */
export interface ProgressDisplay {
  /** Sets the text that is shown before the first event of a request. */
  note(title: string, text: string): void;
  update(title: string, progress: RequestProgress, lines: readonly string[]): void;
  end(): void;
}

export function createProgressDisplay(stderr: Output): ProgressDisplay {
  if (!stderr.live)
    return {
      note: () => undefined,
      update: (_, __, lines) => {
        lines.forEach(stderr.line);
      },
      end: () => undefined,
    };
  const started = performance.now();
  const requests = new Map<string, { note: string; progress?: RequestProgress }>();
  const redraw = createRedraw(stderr);
  const draw = (): void => {
    redraw.draw(
      [...requests].flatMap(([title, { note, progress }]) => {
        const lines = formatProgress(title, progress?.stages() ?? [], performance.now() - started, stderr);
        // Several requests get one line each, so that they fit on the screen.
        return requests.size > 1 || !progress ? [`${lines[0] ?? ''}  ${progress ? formatTotals(progress) : note}`] : lines;
      }),
    );
  };
  const timer = setInterval(draw, REDRAW_INTERVAL_MS);
  return {
    note: (title, note) => requests.set(title, { ...requests.get(title), note }),
    update: (title, progress) => requests.set(title, { note: '', progress }),
    end: () => {
      clearInterval(timer);
      draw();
      redraw.end();
    },
  };
}

function formatTotals(progress: RequestProgress): string {
  const stages = progress.stages();
  const total = (name: 'landed' | 'done' | 'failed'): number => stages.reduce((sum, stage) => sum + stage[name], 0);
  const failed = total('failed');
  return `${total('done')} of ${total('landed')} items${failed > 0 ? `, ${failed} failed` : ''}`;
}
