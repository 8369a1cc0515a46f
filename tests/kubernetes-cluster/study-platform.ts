import { kubectl } from './cluster/kubectl.ts';
import { recordScaleEvents, type ScaleEventRecorder, type ObservedPod } from './recorders/scale-event-recorder.ts';
import { install, uninstall, type System } from './cluster/system.ts';
import { NAMESPACE, ports } from '../../infra/kubernetes/names.ts';
import { regimeSettings } from '../../infra/deployment/regimes.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { local } from '../../loadgen/study/system/local.ts';
import type { Platform, ReplicaCount } from '../../loadgen/study/system/platform.ts';

/** The test cluster as a platform of studies. This process runs inside its network; each cell installs the overlay of its regime. */
export const kubernetes: Platform = {
  name: 'kubernetes',
  async start(regime) {
    await uninstall();
    const { mc } = await ensureServers((line) => void process.stderr.write(`${line}\n`));
    const system = await install(graph, regime, mc);
    const recorder = recordScaleEvents(system, graph);
    const { store, bus } = system.admin;
    // Services that start before set-up has finished restart; only later restarts count.
    const initialRestarts = await readRestarts(system);
    return {
      settings: regimeSettings(regime, graph),
      store,
      bus,
      replicas: () => readReplicaCounts(recorder),
      scaleEvents: () => Promise.resolve([...recorder.events]),
      // Containers are not child processes, so their processor time is unknown.
      cpuTime: () => Promise.reject(new PermanentError('no-calibration', 'calibrate on this machine first, or give --capacity')),
      assertRunning: async () => {
        // A restarted server loses no data, but falsifies the measurements of the cell.
        const restarted = [...(await readRestarts(system))].filter(([pod, count]) => count > (initialRestarts.get(pod) ?? 0));
        if (restarted.length > 0)
          throw new PermanentError('system-gone', `pods restarted: ${restarted.map(([pod]) => pod).join(', ')}`);
      },
      stop: async () => {
        await system.bus.close();
        await recorder.stop().finally(uninstall);
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

/** Returns the restart count of each pod. */
async function readRestarts(system: System): Promise<Map<string, number>> {
  const { items } = await system.api<Restarts>(`/api/v1/namespaces/${NAMESPACE}/pods`);
  return new Map(
    items.map(({ metadata, status }) => [
      metadata.name,
      (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    ]),
  );
}

async function readReplicaCounts(recorder: ScaleEventRecorder): Promise<Record<string, ReplicaCount>> {
  const counts: Record<string, ReplicaCount> = {};
  for (const pod of recorder.pods()) {
    const { replicas, ready, rss_mb } = counts[pod.stage] ?? { replicas: 0, ready: 0, rss_mb: 0 };
    counts[pod.stage] = { replicas: replicas + 1, ready: ready + Number(pod.ready), rss_mb: rss_mb + (await readMemoryMb(pod)) };
  }
  return counts;
}

/** Returns the resident memory that a pod reports, in 10⁶ bytes with one digit, or 0 if it does not respond. */
async function readMemoryMb({ address, ready }: ObservedPod): Promise<number> {
  if (!ready) return 0;
  const text = await fetch(`http://${address}:${ports.http}/metrics`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.text(),
    () => '',
  );
  const bytes = Number(/^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1] ?? 0);
  return Math.round(bytes / 1e5) / 10;
}
