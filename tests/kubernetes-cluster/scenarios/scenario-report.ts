import type { Graph } from '../../../shared/pipeline/graph.ts';
import { recordStages, type StageChange, type StageRecorder } from '../recorders/stage-recorder.ts';
import type { System } from '../cluster/system.ts';
import { recordEvents, type EventRecorder } from '../recorders/event-recorder.ts';

/** Record of a scenario. Times are seconds from the first upload. */
export interface Timeline {
  readonly about: string;
  readonly overlay: string;
  readonly requests: number;
  readonly completed: number;
  readonly stages: Readonly<Record<string, StageSummary>>;
  readonly changes: readonly StageChange[];
  /** Actions on the cluster and its reactions. */
  readonly marks?: readonly Mark[];
}

export interface Mark {
  readonly t: number;
  readonly label: string;
}

interface StageSummary {
  readonly items: number;
  /** Time at which the first item was settled. */
  readonly first_item?: number;
  /** Time from the landed message to the start of the first item, in milliseconds. */
  readonly first_queue_ms?: number;
  readonly most_lag: number;
  readonly most_desired: number;
  readonly most_ready: number;
  /** Time at which the stage was scaled to zero. */
  readonly zero?: number;
}

/** Recorders that run during a scenario. */
export interface ScenarioRecorders {
  readonly recording: StageRecorder;
  readonly events: EventRecorder;
}

/** Runs a part of a scenario while stages and events are recorded. */
export async function recordScenario<T>(
  system: System,
  graph: Graph,
  play: (recorders: ScenarioRecorders) => Promise<T>,
): Promise<T> {
  const recording = recordStages(system, graph);
  const events = await recordEvents(system.bus, recording.now);
  try {
    return await play({ recording, events });
  } finally {
    await events.stop();
    await recording.stop();
  }
}

/** Checks that every stage has settled an item. @throws Error that names the others. */
export function assertAllWorked({ stages }: Graph, { items }: EventRecorder): void {
  const idle = stages.filter(({ name }) => !items.some(({ stage }) => stage === name));
  if (idle.length > 0) throw new Error(`no item at ${idle.map(({ name }) => name).join(', ')}`);
}

/** Checks a behaviour of the cluster. @throws Error if the cluster behaves otherwise. */
export type Scenario = (system: System, graph: Graph, report: (line: string) => void) => Promise<Timeline | undefined>;

export function timelineOf(
  graph: Graph,
  { changes }: StageRecorder,
  { items }: EventRecorder,
  { begun, marks, ...rest }: Omit<Timeline, 'stages' | 'changes'> & { begun: number },
): Timeline {
  const since = (t: number): number => Math.round((t - begun) * 100) / 100;
  const stages = graph.stages.map(({ name }) => {
    const mine = changes.filter(({ stage }) => stage === name);
    const done = items.filter(({ stage }) => stage === name);
    const [first] = done;
    const zero = mine.findLast(({ desired }) => desired === 0);
    const most = (of: 'lag' | 'desired' | 'ready'): number => Math.max(0, ...mine.map((change) => change[of]));
    const summary: StageSummary = {
      items: done.length,
      ...(first && { first_item: since(first.t), first_queue_ms: first.queue_ms }),
      most_lag: most('lag'),
      most_desired: most('desired'),
      most_ready: most('ready'),
      ...(zero && zero.t > begun && { zero: since(zero.t) }),
    };
    return [name, summary] as const;
  });
  return {
    ...rest,
    completed: since(rest.completed),
    ...(marks && { marks: marks.map((mark) => ({ ...mark, t: since(mark.t) })) }),
    stages: Object.fromEntries(stages),
    changes: changes.map((change) => ({ ...change, t: since(change.t) })),
  };
}
