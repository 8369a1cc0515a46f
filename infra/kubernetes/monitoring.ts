import { labels, hosts, NAMESPACE, selector } from './names.ts';

/** How the Prometheus operator finds what to scrape; its custom resources have to be installed. */
export function monitors(): object[] {
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'fave', namespace: NAMESPACE },
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/component': 'service' } },
        // Pods come and go with the load; a pod's name tells its series from its predecessor's.
        podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval: '15s' }],
      },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name: hosts.store, namespace: NAMESPACE, labels: labels(hosts.store, 'store') },
      spec: { selector: selector(hosts.store), endpoints: [{ port: 's3', path: '/minio/v2/metrics/cluster', interval: '60s' }] },
    },
  ];
}
