import { logPanels, type LogPanel } from './log-panels.ts';
import { rows, type Panel } from './panels.ts';
import { restrictMetrics } from './promql.ts';

/** Size of the grid and of a panel, in units of Grafana. */
const WIDTH = 24;
const HEIGHT = 7;

/** A row of the dashboard: its panels without positions, and their width. */
interface Row {
  readonly title: string;
  readonly width: number;
  readonly panels: readonly object[];
}

/**
 * Returns the dashboard as Grafana imports it:
 * https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
export function dashboard(): object {
  const all: Row[] = [
    ...Object.entries(rows).map(([title, panels]) => ({ title, width: 8, panels: panels.map(metricPanel) })),
    { title: 'Logs', width: 12, panels: logPanels.map(logPanel) },
  ];
  return {
    uid: 'fave-pipeline',
    title: 'FAVE: the pipeline',
    schemaVersion: 39,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'metrics', type: 'datasource', query: 'prometheus' },
        namespaceVariable,
        { name: 'logs', label: 'logs', type: 'datasource', query: 'loki' },
        { name: 'request', label: 'request', type: 'textbox', query: '.+' },
      ],
    },
    panels: placed(all).map((panel, n) => ({ id: n + 1, ...panel })),
  };
}

/** Places the rows below each other, each with its title. */
function placed(all: readonly Row[]): object[] {
  let y = 0;
  return all.flatMap(({ title, width, panels }) => {
    const top = y;
    const inLine = WIDTH / width;
    y += 1 + Math.ceil(panels.length / inLine) * HEIGHT;
    return [
      { type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: top, w: WIDTH, h: 1 } },
      ...panels.map((panel, n) => ({
        ...panel,
        gridPos: { x: (n % inLine) * width, y: top + 1 + Math.floor(n / inLine) * HEIGHT, w: width, h: HEIGHT },
      })),
    ];
  });
}

/** Namespaces with a FAVE installation. Outside Kubernetes the variable is empty, which matches metrics without the label. */
const namespaceVariable = {
  name: 'namespace',
  type: 'query',
  datasource: { type: 'prometheus', uid: '${datasource}' },
  query: 'label_values(fave_lag, namespace)',
  refresh: 2,
};

const curves = { type: 'timeseries', options: {}, defaults: { custom: { lineWidth: 1, fillOpacity: 10 } }, range: true };

/** Shows the names of the current series on red; green without any. */
const names = {
  type: 'stat',
  options: { textMode: 'name', colorMode: 'background', graphMode: 'none' },
  defaults: {
    color: { mode: 'thresholds' },
    thresholds: {
      mode: 'absolute',
      steps: [
        { color: 'green', value: null },
        { color: 'red', value: 1 },
      ],
    },
  },
  range: false,
};

function metricPanel({ title, expr, legend, unit }: Panel): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  const { type, options, defaults, range } = unit === 'none' ? names : curves;
  return {
    type,
    title,
    datasource,
    options,
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    targets: [
      {
        refId: 'A',
        datasource,
        expr: restrictMetrics(expr, 'namespace=~"$namespace"').replaceAll('RATE', '$__rate_interval'),
        legendFormat: legend,
        range,
        instant: !range,
      },
    ],
  };
}

function logPanel({ title, type, expr, legend }: LogPanel): object {
  const datasource = { type: 'loki', uid: '${logs}' };
  const looks = type === 'logs' ? { showTime: true, wrapLogMessage: true, enableLogDetails: true, sortOrder: 'Descending' } : {};
  return {
    type,
    title,
    datasource,
    options: looks,
    targets: [{ refId: 'A', datasource, expr, queryType: 'range', ...(legend !== undefined && { legendFormat: legend }) }],
  };
}
