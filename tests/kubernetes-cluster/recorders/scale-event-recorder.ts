import type { ScaleEvent } from '../../../schemas/generated/types.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { parseColdStart } from './cold-start-log.ts';
import { startPolling, maxLaneLag } from './polling.ts';
import type { System } from '../cluster/system.ts';

/** Records the actions of KEDA and the autoscaler in the format of the local scaler, by polling. */
export interface ScaleEventRecorder {
  readonly events: readonly ScaleEvent[];
  /** Returns the current pods of stages. */
  pods(): readonly ObservedPod[];
  /** @throws An error of polling. */
  stop(): Promise<void>;
}

export interface ObservedPod {
  readonly name: string;
  readonly stage: string;
  readonly address: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  /** Time of the last scaling decision before the pod was created, in milliseconds since 1970. */
  readonly decided: number;
  /** Whether its first item is recorded. */
  readonly hasFirstItem: boolean;
}

interface List<T> {
  readonly items: readonly T[];
}
interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas: number };
}
interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string; readonly labels: Record<string, string> };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Starts recording the stages of an installation. */
export function recordScaleEvents(system: System, graph: Graph): ScaleEventRecorder {
  const events: ScaleEvent[] = [];
  const desired = new Map<string, { count: number; since: number }>();
  let known = new Map<string, ObservedPod>();
  const write = (stage: string, event: Omit<ScaleEvent, 'time' | 'stage'>, time = new Date()): void =>
    void events.push({ time: time.toISOString(), stage, ...event });

  const recordDecisions = (deployments: readonly Deployment[], lags: ReadonlyMap<string, number>): void => {
    for (const each of graph.stages) {
      const stage = each.name;
      const to = deployments.find(({ metadata }) => metadata.name === stage)?.spec.replicas ?? 0;
      const from = desired.get(stage)?.count ?? 0;
      if (from === to && desired.has(stage)) continue;
      desired.set(stage, { count: to, since: Date.now() });
      if (from === to) continue;
      write(stage, {
        event: 'decision',
        from,
        to,
        lag: maxLaneLag(each, lags),
        reason: 'observed change by KEDA or the autoscaler',
      });
    }
  };

  const recordPods = async (pods: readonly Pod[]): Promise<void> => {
    const now = new Map<string, ObservedPod>();
    for (const { metadata, status } of pods) {
      const { name } = metadata;
      const stage = metadata.labels['app.kubernetes.io/name'] ?? '';
      if (!desired.has(stage)) continue;
      const before = known.get(name);
      const ready = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
      const stopping = metadata.deletionTimestamp !== undefined;
      if (!before) write(stage, { event: 'started', replica: name });
      if (ready && !before?.ready) write(stage, { event: 'ready', replica: name });
      if (stopping && !before?.stopping) write(stage, { event: 'stopping', replica: name });
      const decided = before?.decided ?? desired.get(stage)?.since ?? Date.now();
      const hasFirstItem = before?.hasFirstItem ?? false;
      now.set(name, {
        name,
        stage,
        address: status.podIP ?? '',
        ready,
        stopping,
        decided,
        hasFirstItem: hasFirstItem || (await recordFirstItem(name, stage, decided)),
      });
    }
    for (const { name, stage } of known.values()) if (!now.has(name)) write(stage, { event: 'stopped', replica: name });
    known = now;
  };

  /** Records the first item of a pod. @returns Whether its log contains one. */
  const recordFirstItem = async (name: string, stage: string, decided: number): Promise<boolean> => {
    const log = await system.log(name).catch(() => ''); // its container has not started or no longer exists
    const found = parseColdStart(log, { decided });
    if (found) write(stage, { event: 'first-item', replica: name, cold_start: found.cold_start }, new Date(found.time));
    return found !== undefined;
  };

  const poll = async (): Promise<void> => {
    const [lags, deployments, pods] = await Promise.all([
      system.lags(),
      system.api<List<Deployment>>('/apis/apps/v1/namespaces/fave/deployments'),
      system.api<List<Pod>>('/api/v1/namespaces/fave/pods'),
    ]);
    recordDecisions(deployments.items, lags);
    await recordPods(pods.items);
  };

  return {
    events,
    pods: () => [...known.values()],
    stop: startPolling(poll),
  };
}
