import { METRICS_PATH } from '../access/metrics.ts';
import type { InstanceRecord } from '../instance/record.ts';

/** A target group in the format of file_sd. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Returns the scrape targets of an instance: its services and MinIO. A restarted service has a new port.
 * @param natsExporter Port of the exporter for NATS, if one is running.
 */
export function targetsOf({ processes, ports, own }: InstanceRecord, natsExporter?: number): TargetGroup[] {
  const at = (port: number): string[] => [`127.0.0.1:${port}`];
  const services = processes.flatMap(({ name, http }) =>
    http === undefined ? [] : [{ targets: at(http), labels: { job: 'fave', service: name } }],
  );
  const minio = { targets: at(ports.minio), labels: { job: 'minio', __metrics_path__: METRICS_PATH } };
  const nats = natsExporter === undefined ? [] : [{ targets: at(natsExporter), labels: { job: 'nats' } }];
  return [...services, ...(own.store ? [minio] : []), ...(own.bus ? nats : [])];
}
