/** A panel of log lines or of their number, with one Loki query. `$request` is a regular expression that the user enters. */
export interface LogPanel {
  readonly title: string;
  readonly type: 'logs' | 'timeseries';
  readonly expr: string;
  /** Legend of a series, from its labels. */
  readonly legend?: string;
}

/** Last row of the dashboard. */
export const logPanels: readonly LogPanel[] = [
  {
    title: 'Lines by level',
    type: 'timeseries',
    expr: 'sum by (level) (count_over_time({level=~".+"}[$__auto]))',
    legend: '{{level}}',
  },
  { title: 'Warnings and errors', type: 'logs', expr: '{level=~"warn|error|fatal"}' },
  { title: 'Lines of the request above', type: 'logs', expr: '{service=~".+"} | request_id=~"$request"' },
  { title: 'Lines of the servers', type: 'logs', expr: '{service=~"minio|nats"}' },
];
