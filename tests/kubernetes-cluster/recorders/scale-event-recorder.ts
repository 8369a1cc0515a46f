import type { ScaleEvent } from '../../../schemas/generated/types.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { parseColdStart } from './cold-start-log.ts';
import { startPolling, maxLaneLag } from './polling.ts';
import type { System } from '../cluster/system.ts';

/** What KEDA and the autoscaler did, as the local scaler tells it of itself: seen from outside, at most one look late. */
export interface ScaleJournal {
  readonly events: readonly ScaleEvent[];
  /** Pods of stages that are there. */
  pods(): readonly SeenPod[];
  /** @throws What a look threw. */
  stop(): Promise<void>;
}

export interface SeenPod {
  readonly name: string;
  readonly stage: string;
  readonly address: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  /** When its stage's number of pods was decided on last before it came, milliseconds since 1970. */
  readonly decided: number;
  /** Whether its first item is noted. */
  readonly told: boolean;
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

/** Watches a system's stages until it is told to stop. */
export function recordScaleEvents(system: System, graph: Graph): ScaleJournal {
  const events: ScaleEvent[] = [];
  const wanted = new Map<string, { count: number; since: number }>();
  let seen = new Map<string, SeenPod>();
  const write = (stage: string, event: Omit<ScaleEvent, 'time' | 'stage'>, time = new Date()): void =>
    void events.push({ time: time.toISOString(), stage, ...event });

  const lookAtWanted = (deployments: readonly Deployment[], lags: ReadonlyMap<string, number>): void => {
    for (const each of graph.stages) {
      const stage = each.name;
      const to = deployments.find(({ metadata }) => metadata.name === stage)?.spec.replicas ?? 0;
      const from = wanted.get(stage)?.count ?? 0;
      if (from === to && wanted.has(stage)) continue;
      wanted.set(stage, { count: to, since: Date.now() });
      if (from === to) continue;
      write(stage, {
        event: 'decision',
        from,
        to,
        lag: maxLaneLag(each, lags),
        reason: 'by KEDA or its autoscaler, seen from outside',
      });
    }
  };

  const lookAtPods = async (pods: readonly Pod[]): Promise<void> => {
    const now = new Map<string, SeenPod>();
    for (const { metadata, status } of pods) {
      const { name } = metadata;
      const stage = metadata.labels['app.kubernetes.io/name'] ?? '';
      if (!wanted.has(stage)) continue;
      const before = seen.get(name);
      const ready = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
      const stopping = metadata.deletionTimestamp !== undefined;
      if (!before) write(stage, { event: 'started', replica: name });
      if (ready && !before?.ready) write(stage, { event: 'ready', replica: name });
      if (stopping && !before?.stopping) write(stage, { event: 'stopping', replica: name });
      const decided = before?.decided ?? wanted.get(stage)?.since ?? Date.now();
      const told = before?.told ?? false;
      now.set(name, {
        name,
        stage,
        address: status.podIP ?? '',
        ready,
        stopping,
        decided,
        told: told || (await tell(name, stage, decided)),
      });
    }
    for (const { name, stage } of seen.values()) if (!now.has(name)) write(stage, { event: 'stopped', replica: name });
    seen = now;
  };

  /** Notes a pod's first item once its log has it. */
  const tell = async (name: string, stage: string, decided: number): Promise<boolean> => {
    const log = await system.log(name).catch(() => ''); // its container has not begun, or is gone
    const found = parseColdStart(log, { decided });
    if (found) write(stage, { event: 'first-item', replica: name, cold_start: found.cold_start }, new Date(found.time));
    return found !== undefined;
  };

  const look = async (): Promise<void> => {
    const [lags, deployments, pods] = await Promise.all([
      system.lags(),
      system.api<List<Deployment>>('/apis/apps/v1/namespaces/fave/deployments'),
      system.api<List<Pod>>('/api/v1/namespaces/fave/pods'),
    ]);
    lookAtWanted(deployments.items, lags);
    await lookAtPods(pods.items);
  };

  return {
    events,
    pods: () => [...seen.values()],
    stop: startPolling(look),
  };
}
