import type { RequestState } from '../../schemas/generated/types.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { CliContext } from '../context/cli.ts';
import { followRequestEvents, type RequestEvent } from '../../shared/bus/request-events.ts';
import { describeEvent, followLanded } from './events.ts';
import { createProgress, progressLines, type RequestProgress } from './progress.ts';
import { createRedraw } from './redraw.ts';
import { settleable } from './settleable.ts';

/** Milliseconds between two drawings, and until a request that nobody takes up is worth a word. */
const FRAME = 200;
const SILENCE = 15_000;

/** A request that is being followed. */
export interface RequestWait {
  /** Resolves when the request has ended; rejects with AbortError at Ctrl-C. */
  readonly ended: Promise<RequestState>;
  stop(): Promise<void>;
}

/** Follows a request from a sequence on. @param changed Called with each event's lines. */
export async function waitForRequest(
  bus: Bus,
  graph: Graph,
  id: string,
  from: number,
  { signal, changed }: { signal: AbortSignal; changed: (progress: RequestProgress, lines: () => string[]) => void },
  { style }: CliContext['stderr'],
): Promise<RequestWait> {
  const progress = createProgress(graph, id);
  const { promise, resolve, reject } = settleable<RequestState>();
  const abort = (): void => {
    reject(new DOMException('interrupted', 'AbortError'));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const stopLanded = followLanded(bus, id, (landed) => {
    progress.takeLanded(landed);
    changed(progress, () => []);
  });
  const take = (event: RequestEvent): void => {
    progress.take(event);
    changed(progress, () => describeEvent(event, { style }, false));
    const ended = progress.ended();
    if (ended) resolve(ended);
  };
  const stopEvents = await followRequestEvents(bus, id, from, { take, failed: reject });
  return {
    ended: promise,
    stop: async () => {
      signal.removeEventListener('abort', abort);
      stopLanded();
      await stopEvents();
    },
  };
}

/** Shows requests' progress on standard error: drawn again and again for a person, a line an event otherwise. */
export interface Display {
  /** What is said while nothing of the request is known yet. */
  note(title: string, text: string): void;
  changed(title: string, progress: RequestProgress, lines: readonly string[]): void;
  end(): void;
}

export function createDisplay({ stderr }: Pick<CliContext, 'stderr'>): Display {
  if (!stderr.live) {
    return {
      note: () => undefined,
      changed: (_, __, lines) => {
        lines.forEach(stderr.line);
      },
      end: () => undefined,
    };
  }
  const begun = performance.now();
  const blocks = new Map<string, { note: string; progress?: RequestProgress }>();
  const redraw = createRedraw(stderr);
  const draw = (): void => {
    redraw.draw(
      [...blocks].flatMap(([title, { note, progress }]) => {
        const lines = progressLines(title, progress?.stages() ?? [], performance.now() - begun, stderr);
        // Several at once would not fit the screen: a line each.
        return blocks.size > 1 || !progress ? [`${lines[0] ?? ''}  ${progress ? summary(progress) : note}`] : lines;
      }),
    );
  };
  const timer = setInterval(draw, FRAME);
  return {
    note: (title, note) => blocks.set(title, { ...blocks.get(title), note }),
    changed: (title, progress) => blocks.set(title, { note: '', progress }),
    end: () => {
      clearInterval(timer);
      draw();
      redraw.end();
    },
  };
}

function summary(progress: RequestProgress): string {
  const stages = progress.stages();
  const total = (name: 'landed' | 'done' | 'failed'): number => stages.reduce((sum, stage) => sum + stage[name], 0);
  const failed = total('failed');
  return `${total('done')} of ${total('landed')} items${failed > 0 ? `, ${failed} failed` : ''}`;
}

/** Says once that a request is not taken up; returns how to stop waiting for that. */
export function warnOfSilence(progress: () => boolean, { stderr }: Pick<CliContext, 'stderr'>): () => void {
  const timer = setTimeout(() => {
    if (!progress()) stderr.line('nothing has taken the upload up yet: is the relay running? (fave doctor)');
  }, SILENCE);
  return () => {
    clearTimeout(timer);
  };
}
