import { group } from 'd3-array';
import type { RecordedCell } from '../data/study.ts';
import type { Table } from '../tables/table.ts';

const facts: readonly (readonly [string, (run: RecordedCell) => string])[] = [
  ['machine', ({ cell: { machine: m } }) => `${m.cpu}, ${m.cores} cores, ${m.memory_mb} MB, ${m.os}`],
  ['video', ({ cell: { video: v } }) => `${v.name}, ${v.duration_s} s, ${v.size} bytes, sha256 ${v.sha256.slice(0, 12)}`],
  [
    'versions',
    ({ cell }) =>
      Object.entries(cell.versions)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map((pair) => pair.join(' '))
        .join(', '),
  ],
];

/** Creates the table of machines, videos and versions. Cells with different values are not fully comparable. */
export function createEnvironmentTable(runs: readonly RecordedCell[]): Table {
  const rows = facts.flatMap(([what, of]) =>
    [...group(runs, (run) => `${run.cell.platform}\n${of(run)}`)].map(([key, own]) => {
      const [platform = '', value = ''] = key.split('\n');
      return [what, platform, value, String(own.length)];
    }),
  );
  return { name: 'environment', title: 'Environment', columns: ['fact', 'platform', 'value', 'cells'], rows };
}

/** Creates the table of regime settings, with one row per group of stages with equal settings. */
export function createRegimeTable(runs: readonly RecordedCell[]): Table {
  const settings = runs.flatMap(({ cell }) =>
    Object.entries(cell.settings.stages).map(([stage, s]) => ({
      stage,
      key: [cell.platform, cell.regime, s.min, s.max, s.lag_target, s.idle_s, s.memory_mb, cell.settings.polling_s].join('\n'),
    })),
  );
  const rows = [...group(settings, ({ key }) => key)].map(([key, own]) => {
    const [platform = '', regime = '', ...numbers] = key.split('\n');
    return [platform, regime, [...new Set(own.map(({ stage }) => stage))].join(', '), ...numbers];
  });
  const columns = ['platform', 'regime', 'stages', 'min', 'max', 'items per replica', 'idle s', 'memory MB', 'polling s'];
  return { name: 'regimes', title: 'Regimes', columns, rows };
}

/** Creates the table of broken cells, which are excluded from all results. */
export function createBrokenTable(broken: readonly RecordedCell[]): Table {
  return {
    name: 'broken',
    title: 'Broken cells, excluded from all results',
    columns: ['cell', 'reason', 'command'],
    rows: broken.map(({ name, cell }) => [name, cell.reason ?? 'not recorded', cell.command]),
  };
}

/** Creates the table of anomalies in finished cells. */
export function createAnomalyTable(runs: readonly RecordedCell[]): Table {
  const rows = runs.flatMap(({ name, cell }) =>
    [...group(cell.anomalies, ({ what }) => what)].map(([what, own]) => [name, what, String(own.length), own[0]?.detail ?? '']),
  );
  return { name: 'anomalies', title: 'Anomalies', columns: ['cell', 'anomaly', 'count', 'first'], rows };
}
