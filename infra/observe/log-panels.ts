/** A panel of log lines, or of their number: one query of Loki's. `$request` is what a person types, a regular expression. */
export interface LogPanel {
  readonly title: string;
  readonly type: 'logs' | 'timeseries';
  readonly expr: string;
  /** Of a series, by its labels. */
  readonly legend?: string;
}

/** The dashboard's last row. */
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
