/** A panel of the dashboard with one query. `RATE` stands for the range of rates. */
export interface Panel {
  readonly title: string;
  readonly expr: string;
  /** Legend of a series, from its labels. */
  readonly legend: string;
  /** Unit as Grafana names it. `none` shows only the names of the current series. */
  readonly unit: 'none' | 'short' | 'ops' | 's' | 'bytes' | 'Bps' | 'percentunit' | 'dateTimeFromNow';
}

/** Rate of a counter of the tracker. With two trackers both count the same events, so the maximum is taken. */
const tracked = (metric: string, by: string): string => `max by (${by}) (rate(fave_${metric}[RATE]))`;
const trackedQuantile = (q: number, metric: string, by: string): string =>
  `histogram_quantile(${q}, ${tracked(`${metric}_seconds_bucket`, `le, ${by}`)})`;
const settled = (metric: string, by = 'stage'): string => tracked(`settled_${metric}`, by);
const settledQuantile = (q: number, metric: string): string => trackedQuantile(q, `settled_${metric}`, 'stage');

const panel = (title: string, unit: Panel['unit'], legend: string, expr: string): Panel => ({ title, unit, legend, expr });

/** The dashboard, row by row. */
export const rows: Readonly<Record<string, readonly Panel[]>> = {
  Flow: [
    panel(
      'Alerts that fire',
      'none',
      '{{alertname}} ({{severity}})',
      'max by (alertname, severity) (ALERTS{alertname=~"Fave.+",alertstate="firing"})',
    ),
    panel('Requests by status', 'ops', '{{status}}', tracked('requests_total', 'status')),
    panel('Open requests', 'short', 'open', 'max(fave_open_requests)'),
    panel('Items settled', 'ops', '{{stage}}', `sum by (stage) (${settled('items_total', 'stage, outcome')})`),
    panel('Items in progress', 'short', '{{stage}}', 'sum by (stage) (fave_busy_slots)'),
    panel('Notifications', 'ops', '{{result}}', 'sum by (result) (rate(fave_relay_notifications_total[RATE]))'),
  ],
  Lag: [
    panel('Lag', 'short', '{{stage}} {{lane}}', 'max by (stage, lane) (fave_lag)'),
    panel('Queue time, 95 %', 's', '{{stage}}', settledQuantile(0.95, 'item_queue')),
    panel(
      'Fill of streams',
      'percentunit',
      '{{stream}}',
      'max by (stream) (fave_stream_bytes) / (max by (stream) (fave_stream_limit_bytes) > 0)',
    ),
  ],
  Latency: [
    panel('Request, median', 's', '{{status}}', trackedQuantile(0.5, 'request_duration', 'status')),
    panel('Item, median', 's', '{{stage}}', settledQuantile(0.5, 'item_duration')),
    panel('Item, 95 %', 's', '{{stage}}', settledQuantile(0.95, 'item_duration')),
  ],
  'Cold starts and cost': [
    panel('Cold starts', 'ops', '{{stage}}', settled('cold_starts_total')),
    panel(
      'Parts of a cold start, mean',
      's',
      '{{part}}',
      'sum by (part) (fave_cold_start_seconds_sum) / sum by (part) (fave_cold_start_seconds_count)',
    ),
    panel('Cost units per second', 'short', '{{stage}}', settled('cost_units_total')),
  ],
  Failures: [
    panel('Items failed', 'ops', '{{stage}}', settled('items_total{outcome="failed"}')),
    panel('Dead letters', 'short', '{{stage}}', 'max by (stage) (increase(fave_settled_items_total{outcome="failed"}[RATE]))'),
    panel('Redeliveries', 'ops', '{{stage}}', settled('redeliveries_total')),
    panel('Tool exits', 'ops', '{{tool}} {{result}}', 'sum by (tool, result) (rate(fave_tool_exits_total[RATE]))'),
    panel('Last notification', 's', '{{path}}', 'time() - max by (path) (fave_last_notification_timestamp_seconds)'),
  ],
  Storage: [
    panel('Requests to the store', 'ops', '{{operation}}', 'sum by (operation) (rate(fave_store_operations_total[RATE]))'),
    panel('Requests to the store by result', 'ops', '{{result}}', 'sum by (result) (rate(fave_store_operations_total[RATE]))'),
    panel(
      'Store latency, 95 %',
      's',
      '{{operation}}',
      'histogram_quantile(0.95, sum by (le, operation) (rate(fave_store_operation_seconds_bucket[RATE])))',
    ),
    panel(
      'Bytes read and written',
      'Bps',
      '{{service}} {{direction}}',
      'sum by (service, direction) (rate(fave_store_bytes_total[RATE]))',
    ),
    panel('Free space in the store', 'bytes', 'free', 'min(minio_cluster_capacity_usable_free_bytes)'),
    panel('Free disk space for items', 'bytes', 'free', 'min(fave_disk_free_bytes)'),
    panel('Notifications queued in MinIO', 'short', '{{target_id}}', 'max by (target_id) (minio_notify_target_queue_length)'),
  ],
  Processes: [
    panel('Resident memory', 'bytes', '{{service}}', 'max by (service) (process_resident_memory_bytes{job="fave"})'),
    panel('Event loop delay, 99 %', 's', '{{service}}', 'max by (service) (nodejs_eventloop_lag_p99_seconds)'),
    panel('Processors', 'short', '{{service}}', 'sum by (service) (rate(process_cpu_seconds_total{job="fave"}[RATE]))'),
    panel('Messages into NATS', 'ops', 'in', 'sum(rate(gnatsd_varz_in_msgs[RATE]))'),
    panel('Connections of NATS', 'short', 'open', 'sum(gnatsd_varz_connections)'),
  ],
};
