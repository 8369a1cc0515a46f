import { DRAIN_SECONDS, hpa, regimeSettings, type RegimeName } from '../deployment/regimes.ts';
import { createScaler, type Scaler } from '../scaler/scaler.ts';
import type { LaunchOptions } from './options.ts';
import type { Servers } from './servers.ts';
import { serviceSpec } from './service-spec.ts';

/** Creates the scaler of the stages of an instance. @param onChange Called whenever a replica was started, became ready or has gone. */
export function createInstanceScaler(
  { dataDir, graph, services, env, progress }: LaunchOptions,
  regime: RegimeName,
  servers: Servers,
  onChange: () => void,
): Scaler {
  const settings = regimeSettings(regime, graph);
  return createScaler({
    stages: graph.stages.filter(({ name }) => services.includes(name)),
    settings,
    hpa,
    bus: servers.bus,
    dataDir,
    progress,
    onChange,
    drainSeconds: DRAIN_SECONDS,
    spec: (stage, number) =>
      serviceSpec([stage], {
        dataDir,
        number,
        environmentOf: servers.environmentOf,
        env: {
          ...env,
          // One item per replica, as in a pod.
          FAVE_CONCURRENCY: '1',
          FAVE_GRACE_SECONDS: String(DRAIN_SECONDS),
          FAVE_MEMORY_LIMIT_MB: String(settings.stages[stage]?.memory_mb),
        },
      }),
  });
}
