import type { InstanceRecord } from '../instance/record.ts';

/** Addresses that Prometheus scrapes, in the form of its file_sd. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whatever of an instance has metrics: its services at the ports that they told, and MinIO. What restarts comes under its new port.
 * @param natsExporter Port of the exporter that reads NATS, where one runs.
 */
export function targetsOf({ processes, ports, own }: InstanceRecord, natsExporter?: number): TargetGroup[] {
  const at = (port: number): string[] => [`127.0.0.1:${port}`];
  const services = processes.flatMap(({ name, http }) =>
    http === undefined ? [] : [{ targets: at(http), labels: { job: 'fave', service: name } }],
  );
  const minio = { targets: at(ports.minio), labels: { job: 'minio', __metrics_path__: '/minio/v2/metrics/cluster' } };
  const nats = natsExporter === undefined ? [] : [{ targets: at(natsExporter), labels: { job: 'nats' } }];
  return [...services, ...(own.store ? [minio] : []), ...(own.bus ? nats : [])];
}
