import type { LandedMessage, RequestState } from '../../schemas/generated/types.ts';
import { newRun, reduceEvent, summarise, type RunState } from '../../shared/requests/run-state.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Output } from '../context/cli.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import { duration, shorten } from './format.ts';

/** How far a stage is with a request. */
export interface StageLine {
  readonly stage: string;
  /** Items that landed for it. */
  readonly landed: number;
  /** Done, reused or skipped. */
  readonly done: number;
  readonly failed: number;
}

/** What the events of a request add up to, counted as the tracker counts. */
export interface RequestProgress {
  take(event: RequestEvent): void;
  takeLanded(landed: LandedMessage): void;
  stages(): StageLine[];
  /** How it ended, once it has: a rejection counts only before the request is accepted, later ones are of other uploads. */
  ended(): RequestState | undefined;
}

export function createProgress(graph: Graph, requestId: string): RequestProgress {
  let state: RunState = newRun(requestId, 1);
  let ended: RequestState | undefined;
  const landed = new Map<string, Set<string>>();

  const runOf = (run: number): RunState | undefined => {
    if (run > state.run) {
      state = newRun(requestId, run);
      ended = undefined;
    }
    return run === state.run ? state : undefined;
  };

  return {
    take(event) {
      const run = runOf(event.data.run);
      if (!run) return;
      reduceEvent(run, event, graph);
      if (event.what !== 'lifecycle' || ['accepted', 'redriven'].includes(event.name)) return;
      if (event.name !== 'rejected' || !run.accepted) ended = event.data;
    },
    takeLanded({ kind, key }) {
      landed.set(kind, (landed.get(kind) ?? new Set()).add(key));
    },
    stages() {
      const { stages = {} } = summarise(state, graph);
      return graph.stages.map(({ name, consumes }) => {
        const { expected = 0, done = 0, reused = 0, skipped = 0, failed = 0 } = stages[name] ?? {};
        // Events list a stage's items when its producer has settled; objects land one by one before that.
        return {
          stage: name,
          landed: Math.max(expected, landed.get(consumes.name)?.size ?? 0),
          done: done + reused + skipped,
          failed,
        };
      });
    },
    ended: () => ended,
  };
}

const BAR = 20;

/** A request's progress as lines of at most `columns` characters. @param elapsed Milliseconds. */
export function progressLines(
  title: string,
  stages: readonly StageLine[],
  elapsed: number,
  { columns, style }: Pick<Output, 'columns' | 'style'>,
): string[] {
  const width = Math.max(...stages.map(({ stage }) => stage.length));
  const took = duration(elapsed);
  return [
    `${style('bold', shorten(title, columns - took.length - 2))}  ${style('dim', took)}`,
    ...stages.map(({ stage, landed, done, failed }) => {
      const filled = landed === 0 ? 0 : Math.round((BAR * (done + failed)) / landed);
      const bar = style(failed > 0 ? 'yellow' : 'green', '█'.repeat(filled)) + style('dim', '░'.repeat(BAR - filled));
      const count = landed === 0 ? '' : `${String(done).padStart(4)} of ${landed}`;
      return `  ${stage.padEnd(width)}  ${bar}${count}${failed > 0 ? style('red', `, ${failed} failed`) : ''}`;
    }),
  ];
}
