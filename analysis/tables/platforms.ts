/** Local cold starts beside KEDA's. */
import { greatest } from 'd3-array';
import { computeColdStarts, partNames, coldStartParts } from '../measures/cold-starts.ts';
import { findCells } from '../measures/compare.ts';
import { difference, meanOf, createQuantile, type Interval } from '../measures/statistics.ts';
import type { PlatformStudy } from '../data/study.ts';
import { format, formatInterval, inSeconds, type Table } from './table.ts';

export interface PlatformComparison {
  readonly table: Table;
  readonly sentences: readonly string[];
}

/** Compares cold starts of the conditions that both platforms have: whether they agree, and if not, which part makes most of it. */
export function comparePlatforms(local: PlatformStudy, kubernetes: PlatformStudy): PlatformComparison {
  const shared = local.conditions.flatMap(({ regime, load }) => {
    const groups = [local, kubernetes].map((study) => findCells(study, regime, load).map(computeColdStarts));
    return groups.some((runs) => runs.flat().length === 0) ? [] : [{ regime, load, groups }];
  });
  const median = createQuantile(0.5);
  const rows = shared.map(({ regime, load, groups }) => {
    const totals = groups.map((runs) => runs.map((starts) => starts.map(({ total_ms }) => total_ms)));
    const gap = difference(totals, ([here = [], there = []]) => median(there) - median(here));
    const [here = NaN, there = NaN] = totals.map((runs) => median(runs.flat()));
    const byPart = partNames.map((part) => {
      const times = groups.map((runs) => runs.map((starts) => starts.map((start) => start.parts[part])));
      return { part, by: difference(times, ([l = [], k = []]) => meanOf(k) - meanOf(l)) };
    });
    const [first] = byPart as [PartGap, ...PartGap[]];
    const why = greatest(byPart, ({ by }) => by.value * Math.sign(gap.value)) ?? first;
    return { regime, load, here, there, gap, why, byPart, agrees: agrees(gap) };
  });
  return {
    table: {
      name: 'platforms',
      title: 'Cold starts, local and under KEDA',
      columns: [
        'load',
        'regime',
        'local median s',
        'Kubernetes median s',
        'Kubernetes − local, s',
        'agree',
        'largest part of the difference',
      ],
      rows: rows.map(({ load, regime, here, there, gap, why, agrees: same }) => [
        load,
        regime,
        format(here / 1_000, 2),
        format(there / 1_000, 2),
        formatInterval(gap, inSeconds),
        same ? 'yes' : 'no',
        `${coldStartParts[why.part]} (${format(why.by.value / 1_000, 2)} s)`,
      ]),
    },
    sentences:
      rows.length === 0 ? ['No condition has cold starts on both platforms: nothing can be compared.'] : rows.map(sentence),
  };
}

interface PartGap {
  readonly part: keyof typeof coldStartParts;
  /** Kubernetes less local, milliseconds. */
  readonly by: Interval;
}

/** What is done in a part on one platform and not, or otherwise, on the other. */
const REASONS: Readonly<Record<keyof typeof coldStartParts, string>> = {
  decision_ms: 'both look every polling interval, at other moments of it',
  spawn_ms: 'a pod is scheduled and its network and container are made, where the local scaler starts a process',
  imports_ms: 'the code lies in an image and shares the cores with the cluster',
  connections_ms: 'addresses are resolved by the cluster’s DNS and led through its services',
  model_ms: 'the model lies in an image and shares the cores with the cluster',
  first_item_ms: 'messages come through the cluster’s services',
};

const agrees = ({ low, high }: Interval): boolean => low <= 0 && high >= 0;

function sentence({
  regime,
  load,
  gap,
  why,
  byPart,
  agrees: same,
}: {
  regime: string;
  load: string;
  gap: Interval;
  why: PartGap;
  byPart: readonly PartGap[];
  agrees: boolean;
}): string {
  const where = `${regime} under ${load}`;
  const parting = partsThatDiffer(byPart);
  if (same)
    return `${where}: in all, the platforms agree within the interval (difference ${formatInterval(gap, inSeconds)} s). ${parting}`;
  const word = gap.value > 0 ? 'longer' : 'shorter';
  return `${where}: a cold start under KEDA is ${word} by ${formatInterval({ ...gap, value: gap.value }, inSeconds)} s; most of it is “${coldStartParts[why.part]}” (${format(why.by.value / 1_000, 2)} s on average). ${parting}`;
}

function partsThatDiffer(byPart: readonly PartGap[]): string {
  const differing = byPart.filter(({ by }) => !agrees(by));
  if (differing.length === 0) return 'No part of it differs by more than its interval.';
  const each = differing.map(
    ({ part, by }) => `“${coldStartParts[part]}” by ${formatInterval(by, inSeconds)} s (${REASONS[part]})`,
  );
  return `Under KEDA these parts differ, on average: ${each.join('; ')}.`;
}
