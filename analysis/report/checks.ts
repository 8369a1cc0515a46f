/** What the records themselves lack or contradict: threats that only the data know. */
import { sum } from 'd3-array';
import { computeOccupancy } from '../measures/occupancy.ts';
import { durationSeconds } from '../measures/measures.ts';
import { createQuantile } from '../measures/statistics.ts';
import type { RecordedCell } from '../data/study.ts';
import { format } from '../tables/table.ts';

/** Milliseconds that a generator may be late at the 99th percentile. */
const LATE = 100;

/** Sentences about finished runs that a reader must know before trusting them. */
export function findDataProblems(runs: readonly RecordedCell[]): string[] {
  return runs.flatMap((run) =>
    [missing, foreign, late, replicas].flatMap((check) => check(run).map((what) => `${run.name}: ${what}`)),
  );
}

function missing({ cell, requests }: RecordedCell): string[] {
  const lacking = cell.arrivals.count - requests.length;
  return lacking === 0 ? [] : [`${requests.length} requests are recorded where ${cell.arrivals.count} were to arrive`];
}

function foreign({ requests, items }: RecordedCell): string[] {
  const known = new Set(requests.map(({ request_id }) => request_id));
  const strangers = items.filter(({ request_id }) => !known.has(request_id)).length;
  return strangers === 0
    ? []
    : [`${strangers} items belong to requests that are not in the record; they count as work of the run`];
}

function late({ requests }: RecordedCell): string[] {
  const p99 = createQuantile(0.99)(requests.flatMap(({ late_ms }) => late_ms ?? []));
  return p99 > LATE
    ? [`the generator was ${format(p99, 0)} ms late at the 99th percentile; latency counts from the intended time and holds it`]
    : [];
}

/** Replica-seconds by events against those by snapshots, which are taken independently. */
function replicas(run: RecordedCell): string[] {
  const { snapshots, cell } = run;
  if (snapshots.length < 2) return [];
  const stages = Object.keys(cell.settings.stages);
  const bySnapshots =
    (sum(snapshots, (each) => sum(stages, (stage) => each.stages[stage]?.replicas ?? 0)) / snapshots.length) *
    durationSeconds(run);
  const byEvents = sum(computeOccupancy(run), ({ replicaSeconds }) => replicaSeconds);
  const apart = Math.abs(byEvents - bySnapshots) / Math.max(byEvents, bySnapshots, stages.length * 10);
  return apart < 0.25
    ? []
    : [
        `replica-seconds by scaling events (${format(byEvents, 0)}) and by snapshots (${format(bySnapshots, 0)}) differ by ${format(apart * 100, 0)} %: idle cost is as unsure`,
      ];
}
