import type { Graph } from '../../../shared/pipeline/graph.ts';
import { startPolling, maxLaneLag } from './polling.ts';
import type { System } from '../cluster/system.ts';

/** State of a stage from `t` on, in seconds since the start of the recording. */
export interface StageChange {
  readonly t: number;
  readonly stage: string;
  /** Highest lag of the stage's lanes. */
  readonly lag: number;
  /** Number of pods that the autoscaler requests. */
  readonly desired: number;
  readonly ready: number;
}

export interface StageRecorder {
  /** Returns the seconds since the start of the recording. */
  now(): number;
  readonly changes: readonly StageChange[];
  /** Returns the last recorded state of a stage. */
  current(stage: string): StageChange | undefined;
  stop(): Promise<void>;
}

interface Deployments {
  readonly items: readonly { metadata: { name: string }; spec: { replicas: number }; status: { readyReplicas?: number } }[];
}

/** Records lag, desired pods and ready pods of every stage at each change. */
export function recordStages(system: System, graph: Graph): StageRecorder {
  const startedMs = performance.now();
  const now = (): number => Math.round((performance.now() - startedMs) / 10) / 100;
  const changes: StageChange[] = [];
  const last = new Map<string, StageChange>();

  const poll = async (): Promise<void> => {
    const [lags, deployments] = await Promise.all([
      system.lags(),
      system.api<Deployments>('/apis/apps/v1/namespaces/fave/deployments'),
    ]);
    const t = now();
    for (const stage of graph.stages) {
      const { name } = stage;
      const deployment = deployments.items.find(({ metadata }) => metadata.name === name);
      const lag = maxLaneLag(stage, lags);
      const desired = deployment?.spec.replicas ?? 0;
      const ready = deployment?.status.readyReplicas ?? 0;
      const before = last.get(name);
      if (before?.lag === lag && before.desired === desired && before.ready === ready) continue;
      const change = { t, stage: name, lag, desired, ready };
      last.set(name, change);
      changes.push(change);
    }
  };
  return {
    now,
    changes,
    current: (stage) => last.get(stage),
    stop: startPolling(poll),
  };
}
