import { compareTrees, type Ending, type Tree } from './request-tree.ts';
import type { Sent } from './load.ts';

/** An injected fault. */
export interface Injected {
  readonly fault: string;
  /** Start since the begin of the load, and duration, in seconds. */
  readonly at: number;
  readonly seconds: number;
  /** Effect of the fault, such as `SIGKILL relay`. */
  readonly description: string;
}

/** Observations at the end of a run. */
export interface Findings {
  readonly seed: number;
  readonly minutes: number;
  readonly faults: readonly Injected[];
  /** Faults that this machine does not support, with reasons. */
  readonly notInjected: readonly string[];
  readonly sent: readonly Sent[];
  readonly endings: readonly Ending[];
  readonly trees: ReadonlyMap<string, Tree>;
  /** Tree of a run without faults, by video. */
  readonly expected: ReadonlyMap<string, Tree>;
  readonly directories: readonly string[];
  readonly processes: readonly string[];
}

export interface Report extends Pick<Findings, 'seed' | 'minutes' | 'faults' | 'notInjected'> {
  readonly requests: {
    readonly in: number;
    readonly completed: number;
    readonly failed: number;
    readonly lost: number;
    readonly hanging: number;
  };
  /** Number of runs with several terminal events. */
  readonly duplicateEnds: number;
  readonly artifacts: { readonly compared: number; readonly different: number };
  readonly orphans: { readonly directories: readonly string[]; readonly processes: readonly string[] };
  /** Violated guarantees, one sentence each. */
  readonly broken: readonly string[];
}

/** Compares observations with the guarantees. */
export function createReport({ sent, endings, trees, expected, directories, processes, ...run }: Findings): Report {
  const lost = endings.filter(({ accepted, ends }) => !accepted && ends.length === 0);
  const hanging = endings.filter(({ accepted, ends }) => accepted && ends.length === 0);
  const twice = endings.filter(({ ends }) => ends.length > 1);
  const status = (name: string): Ending[] => endings.filter(({ ends }) => ends[0]?.status === name);
  const errors = endings.flatMap(({ id, ends }) =>
    ends.flatMap((end) =>
      (end.errors ?? []).map(
        (error) => `${id}: ${String(error.stage)} gave up on ${error.file} (${error.code}: ${error.message})`,
      ),
    ),
  );
  const different = sent.flatMap(({ id, video }) =>
    compareTrees(trees.get(id) ?? new Map(), expected.get(video) ?? new Map()).map((difference) => `${id}: ${difference}`),
  );
  return {
    ...run,
    requests: {
      in: sent.length,
      completed: status('completed').length,
      failed: status('failed').length,
      lost: lost.length,
      hanging: hanging.length,
    },
    duplicateEnds: twice.length,
    artifacts: { compared: [...trees.values()].reduce((sum, tree) => sum + tree.size, 0), different: different.length },
    orphans: { directories, processes },
    broken: [
      ...lost.map(({ id }) => `${id} was uploaded and never accepted`),
      ...hanging.map(({ id }) => `${id} was accepted and never ended`),
      ...twice.map(({ id, ends }) => `${id} ended ${ends.length} times`),
      ...status('failed').map(({ id }) => `${id} failed, though nothing is wrong with it`),
      ...errors,
      ...different,
      ...directories.map((name) => `the temporary directory ${name} was left`),
      ...processes.map((name) => `the process ${name} was left`),
    ],
  };
}

/** Formats a report as text. */
export function formatReport({ seed, faults, notInjected, requests, artifacts, orphans, broken, ...report }: Report): string[] {
  return [
    ...faults.map(({ at, fault, description }) => `${at.toFixed(0).padStart(6)} s  ${fault}: ${description}`),
    ...notInjected,
    `requests  in ${requests.in}, completed ${requests.completed}, failed ${requests.failed}, lost ${requests.lost}, hanging ${requests.hanging}`,
    `runs that ended more than once  ${report.duplicateEnds}`,
    `artifacts compared ${artifacts.compared}, different ${artifacts.different}`,
    `left behind  ${orphans.directories.length} directories, ${orphans.processes.length} processes`,
    ...broken.map((violation) => `BROKEN  ${violation}`),
    broken.length > 0
      ? `${broken.length} guarantees were violated; repeat the same faults with --seed ${seed}`
      : 'all guarantees hold',
  ];
}
