import type { Graph } from '../../../shared/pipeline/graph.ts';
import { recordStages, type StageChange, type Recording } from '../recorders/stage-recorder.ts';
import type { System } from '../cluster/system.ts';
import { watch, type Watch } from '../recorders/event-recorder.ts';

/** What a scenario leaves to be read: seconds from the first upload. */
export interface Timeline {
  readonly about: string;
  readonly overlay: string;
  readonly requests: number;
  readonly completed: number;
  readonly stages: Readonly<Record<string, StageSummary>>;
  readonly changes: readonly StageChange[];
  /** What was done to the cluster, and what it did. */
  readonly marks?: readonly Mark[];
}

export interface Mark {
  readonly t: number;
  readonly what: string;
}

interface StageSummary {
  readonly items: number;
  /** First item settled. */
  readonly first_item?: number;
  /** Milliseconds from announced to begun, of the first item. */
  readonly first_queue_ms?: number;
  readonly most_lag: number;
  readonly most_desired: number;
  readonly most_ready: number;
  /** When no pod was wanted any more. */
  readonly zero?: number;
}

/** What is seen of a system while a scenario plays. */
export interface Seen {
  readonly recording: Recording;
  readonly events: Watch;
}

/** Plays a part of a scenario while stages and events are recorded. */
export async function recordScenario<T>(system: System, graph: Graph, play: (what: Seen) => Promise<T>): Promise<T> {
  const recording = recordStages(system, graph);
  const events = await watch(system.bus, recording.now);
  try {
    return await play({ recording, events });
  } finally {
    await events.stop();
    await recording.stop();
  }
}

/** @throws Error that names the stages that have settled no item. */
export function assertAllWorked({ stages }: Graph, { items }: Watch): void {
  const idle = stages.filter(({ name }) => !items.some(({ stage }) => stage === name));
  if (idle.length > 0) throw new Error(`no item at ${idle.map(({ name }) => name).join(', ')}`);
}

/** @throws Error when the cluster does not show what it has to. */
export type Scenario = (system: System, graph: Graph, say: (line: string) => void) => Promise<Timeline | undefined>;

export function timelineOf(
  graph: Graph,
  { changes }: Recording,
  { items }: Watch,
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
