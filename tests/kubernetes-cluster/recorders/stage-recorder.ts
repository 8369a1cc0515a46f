import type { Graph } from '../../../shared/pipeline/graph.ts';
import { startPolling, maxLaneLag } from './polling.ts';
import type { System } from '../cluster/system.ts';

/** What a stage is like from a time on: seconds since the recording began. */
export interface StageChange {
  readonly t: number;
  readonly stage: string;
  /** Of the lane that has most. */
  readonly lag: number;
  /** Pods that the autoscaler wants. */
  readonly desired: number;
  readonly ready: number;
}

export interface Recording {
  /** Seconds since the recording began. */
  now(): number;
  readonly changes: readonly StageChange[];
  /** What a stage is like at the moment. */
  current(stage: string): StageChange | undefined;
  stop(): Promise<void>;
}

interface Deployments {
  readonly items: readonly { metadata: { name: string }; spec: { replicas: number }; status: { readyReplicas?: number } }[];
}

/** Records lag, wanted and ready pods of every stage whenever one of them changes. */
export function recordStages(system: System, graph: Graph): Recording {
  const begun = performance.now();
  const now = (): number => Math.round((performance.now() - begun) / 10) / 100;
  const changes: StageChange[] = [];
  const last = new Map<string, StageChange>();

  const look = async (): Promise<void> => {
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
    stop: startPolling(look),
  };
}
