import type { LandedMessage, RequestState } from '../../schemas/generated/types.ts';
import { selectRun, type RequestRuns } from '../../shared/requests/early-runs.ts';
import { createRunState, reduceEvent, summarise } from '../../shared/requests/run-state.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Output } from '../context/cli.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import { shorten } from '../../shared/core/text.ts';
import { formatDuration } from './format.ts';

/** Progress of a stage in a request. */
export interface StageLine {
  readonly stage: string;
  /** Items that have landed for the stage. */
  readonly landed: number;
  /** Done, reused or skipped. */
  readonly done: number;
  readonly failed: number;
}

/** Progress of a request, derived from its events as the tracker does. */
export interface RequestProgress {
  apply(event: RequestEvent): void;
  addLanded(landed: LandedMessage): void;
  stages(): StageLine[];
  /** State of the ended request. A refusal counts only before the request is accepted; later ones concern other uploads. */
  ended(): RequestState | undefined;
}

export function createProgress(graph: Graph, requestId: string): RequestProgress {
  const runs: RequestRuns = { latest: createRunState(requestId, 1), early: new Map() };
  let ended: RequestState | undefined;
  const landed = new Map<string, Set<string>>();

  return {
    apply(event) {
      const before = runs.latest;
      const run = selectRun(runs, event);
      if (!run) return;
      if (runs.latest !== before) ended = undefined;
      reduceEvent(run, event, graph);
      if (event.type !== 'lifecycle' || ['accepted', 'redriven'].includes(event.name)) return;
      const isRefusal = event.name === 'rejected' || event.name === 'ignored';
      if (!isRefusal || !run.accepted) ended = event.data;
    },
    addLanded({ kind, key }) {
      landed.set(kind, (landed.get(kind) ?? new Set()).add(key));
    },
    stages() {
      const { stages = {} } = summarise(runs.latest, graph);
      return graph.stages.map(({ name, consumes }) => {
        const { expected = 0, done = 0, reused = 0, skipped = 0, failed = 0 } = stages[name] ?? {};
        // An event lists the outputs of an item when it is settled; the objects land one by one before.
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

const BAR_WIDTH = 20;

/** Formats the progress of a request as lines of at most `columns` characters. @param elapsed Milliseconds. */
export function formatProgress(
  title: string,
  stages: readonly StageLine[],
  elapsed: number,
  { columns, style }: Pick<Output, 'columns' | 'style'>,
): string[] {
  const width = Math.max(...stages.map(({ stage }) => stage.length));
  const time = formatDuration(elapsed);
  return [
    `${style('bold', shorten(title, columns - time.length - 2))}  ${style('dim', time)}`,
    ...stages.map(({ stage, landed, done, failed }) => {
      const filled = landed === 0 ? 0 : Math.round((BAR_WIDTH * (done + failed)) / landed);
      const bar = style(failed > 0 ? 'yellow' : 'green', '█'.repeat(filled)) + style('dim', '░'.repeat(BAR_WIDTH - filled));
      const count = landed === 0 ? '' : `${String(done).padStart(4)} of ${landed}`;
      return `  ${stage.padEnd(width)}  ${bar}${count}${failed > 0 ? style('red', `, ${failed} failed`) : ''}`;
    }),
  ];
}
