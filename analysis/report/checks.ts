/** Checks for missing or inconsistent records. */
import { sum } from 'd3-array';
import { computeOccupancy } from '../measures/occupancy.ts';
import { durationSeconds } from '../measures/measures.ts';
import { createQuantile } from '../measures/statistics.ts';
import type { RecordedCell } from '../data/study.ts';
import { format } from '../tables/table.ts';

/** Maximum lateness of the load generator at the 99th percentile, in ms. */
const MAX_LATE_MS = 100;

/** Returns one sentence per problem in the records of finished cells. */
export function findDataProblems(runs: readonly RecordedCell[]): string[] {
  return runs.flatMap((run) =>
    [missing, foreign, late, replicas].flatMap((check) => check(run).map((problem) => `${run.name}: ${problem}`)),
  );
}

function missing({ cell, requests }: RecordedCell): string[] {
  const missingCount = cell.arrivals.count - requests.length;
  return missingCount === 0 ? [] : [`the record contains ${requests.length} requests, but ${cell.arrivals.count} were planned`];
}

function foreign({ requests, items }: RecordedCell): string[] {
  const requestIds = new Set(requests.map(({ request_id }) => request_id));
  const count = items.filter(({ request_id }) => !requestIds.has(request_id)).length;
  return count === 0 ? [] : [`${count} items belong to requests that are not in the record; they count as work of the cell`];
}

function late({ requests }: RecordedCell): string[] {
  const p99 = createQuantile(0.99)(requests.flatMap(({ late_ms }) => late_ms ?? []));
  return p99 > MAX_LATE_MS
    ? [
        `the generator was ${format(p99, 0)} ms late at the 99th percentile; latency counts from the planned arrival and includes it`,
      ]
    : [];
}

/** Compares replica-seconds from scale events with those from snapshots, which are independent sources. */
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
        `replica-seconds from scale events (${format(byEvents, 0)}) and from snapshots (${format(bySnapshots, 0)}) differ by ${format(apart * 100, 0)} %; idle cost has the same uncertainty`,
      ];
}
