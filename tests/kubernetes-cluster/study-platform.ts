import { kubectl } from './cluster/kubectl.ts';
import { recordScaleEvents, type ScaleJournal, type SeenPod } from './recorders/scale-event-recorder.ts';
import { install, uninstall, type System } from './cluster/system.ts';
import { NAMESPACE, ports } from '../../infra/kubernetes/names.ts';
import { regimeSettings } from '../../infra/deployment/regimes.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { local } from '../../loadgen/study/system/local.ts';
import type { Platform, ReplicaCount } from '../../loadgen/study/system/platform.ts';

/** A Kubernetes of one node with KEDA, inside whose network this process runs: each system is installed by its regime's overlay. */
export const kubernetes: Platform = {
  name: 'kubernetes',
  async start(regime) {
    await uninstall();
    const { mc } = await ensureServers((line) => void process.stderr.write(`${line}\n`));
    const system = await install(graph, regime, mc);
    const journal = recordScaleEvents(system, graph);
    const { store, bus } = system.admin;
    // Until set-up is done, services that came before it start again.
    const begun = await restartsOf(system);
    return {
      settings: regimeSettings(regime, graph),
      store,
      bus,
      replicas: () => countsOf(journal),
      scaleEvents: () => Promise.resolve([...journal.events]),
      // Of containers, which no process here is the parent of.
      cpuTime: () => Promise.reject(new PermanentError('no-calibration', 'calibrate on this machine first, or give --capacity')),
      assertRunning: async () => {
        // A cluster that restarted a server has lost nothing, but a cell in which it did is no measurement.
        const restarted = [...(await restartsOf(system))].filter(([pod, count]) => count > (begun.get(pod) ?? 0));
        if (restarted.length > 0)
          throw new PermanentError('system-gone', `pods restarted: ${restarted.map(([pod]) => pod).join(', ')}`);
      },
      stop: async () => {
        await system.bus.close();
        await journal.stop().finally(uninstall);
      },
    };
  },
  async versions() {
    const { serverVersion } = JSON.parse(await kubectl(['version', '-o', 'json'])) as { serverVersion: { gitVersion: string } };
    return { ...(await local.versions()), kubernetes: serverVersion.gitVersion };
  },
};

interface Restarts {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
  }[];
}

/** How often containers were started again, by pod. */
async function restartsOf(system: System): Promise<Map<string, number>> {
  const { items } = await system.api<Restarts>(`/api/v1/namespaces/${NAMESPACE}/pods`);
  return new Map(
    items.map(({ metadata, status }) => [
      metadata.name,
      (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    ]),
  );
}

async function countsOf(journal: ScaleJournal): Promise<Record<string, ReplicaCount>> {
  const counts: Record<string, ReplicaCount> = {};
  for (const pod of journal.pods()) {
    const { replicas, ready, rss_mb } = counts[pod.stage] ?? { replicas: 0, ready: 0, rss_mb: 0 };
    counts[pod.stage] = { replicas: replicas + 1, ready: ready + Number(pod.ready), rss_mb: rss_mb + (await memoryOf(pod)) };
  }
  return counts;
}

/** Resident memory that a pod tells of its process, 10⁶ bytes to one digit; 0 where it does not answer. */
async function memoryOf({ address, ready }: SeenPod): Promise<number> {
  if (!ready) return 0;
  const text = await fetch(`http://${address}:${ports.http}/metrics`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.text(),
    () => '',
  );
  const bytes = Number(/^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1] ?? 0);
  return Math.round(bytes / 1e5) / 10;
}
