import type { Servers } from './servers.ts';
import type { LaunchOptions } from './options.ts';
import { DRAIN_SECONDS, hpa, regimeSettings, type RegimeName } from '../deployment/regimes.ts';
import { serviceSpec } from './service-spec.ts';
import { createScaler, type Scaler } from '../scaler/scaler.ts';

/** Scales those of an instance's services that are stages. @param changed Called whenever a replica was started, became ready or is gone. */
export function createInstanceScaler(
  { dataDir, graph, services, env, progress }: LaunchOptions,
  regime: RegimeName,
  servers: Servers,
  changed: () => void,
): Scaler {
  const settings = regimeSettings(regime, graph);
  return createScaler({
    stages: graph.stages.filter(({ name }) => services.includes(name)),
    settings,
    hpa,
    bus: servers.bus,
    dataDir,
    progress,
    changed,
    drain_s: DRAIN_SECONDS,
    spec: (stage, number) =>
      serviceSpec(stage, {
        dataDir,
        number,
        environment: servers.environmentOf(stage),
        env: {
          ...env,
          // One item a replica, so that replicas mean what pods mean.
          FAVE_CONCURRENCY: '1',
          FAVE_GRACE_SECONDS: String(DRAIN_SECONDS),
          FAVE_MEMORY_LIMIT_MB: String(settings.stages[stage]?.memory_mb),
        },
      }),
  });
}
