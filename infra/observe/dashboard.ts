import { rows, type Panel } from './panels.ts';

const WIDTH = 8;
const HEIGHT = 7;

/** The dashboard as Grafana takes it: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export function dashboard(): object {
  let y = 0;
  const panels = Object.entries(rows).flatMap(([title, of]) => {
    const top = y;
    y += 1 + Math.ceil(of.length / (24 / WIDTH)) * HEIGHT;
    return [
      { type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: top, w: 24, h: 1 } },
      ...of.map((panel, n) => graphOf(panel, { x: (n % 3) * WIDTH, y: top + 1 + Math.floor(n / 3) * HEIGHT })),
    ];
  });
  return {
    uid: 'fave-pipeline',
    title: 'FAVE: the pipeline',
    schemaVersion: 39,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }] },
    panels: panels.map((panel, n) => ({ id: n + 1, ...panel })),
  };
}

function graphOf({ title, expr, legend, unit }: Panel, at: { x: number; y: number }): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  return {
    type: 'timeseries',
    title,
    datasource,
    gridPos: { ...at, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, custom: { lineWidth: 1, fillOpacity: 10 } }, overrides: [] },
    targets: [{ refId: 'A', datasource, expr: expr.replaceAll('RATE', '$__rate_interval'), legendFormat: legend }],
  };
}
