/** Comparison of cold starts between the local scaler and KEDA. */
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

/** Compares cold starts of the conditions recorded on both platforms, and finds the part with the largest difference. */
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
      rows.length === 0
        ? ['No condition has cold starts on both platforms, so there is no comparison.']
        : rows.map(formatSentence),
  };
}

interface PartGap {
  readonly part: keyof typeof coldStartParts;
  /** Kubernetes minus local, in ms. */
  readonly by: Interval;
}

/** Difference between the platforms in each part. */
const REASONS: Readonly<Record<keyof typeof coldStartParts, string>> = {
  decision_ms: 'both poll at the same interval, with different offsets',
  spawn_ms: 'Kubernetes schedules a pod and creates its network and container; the local scaler starts a process',
  imports_ms: 'the code is in an image, and the cluster shares the cores',
  connections_ms: 'connections use the DNS and the services of the cluster',
  model_ms: 'the model is in an image, and the cluster shares the cores',
  first_item_ms: 'messages pass through the services of the cluster',
};

const agrees = ({ low, high }: Interval): boolean => low <= 0 && high >= 0;

function formatSentence({
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
  const parts = formatDifferingParts(byPart);
  if (same) return `${where}: the platforms agree within the interval (difference ${formatInterval(gap, inSeconds)} s). ${parts}`;
  const word = gap.value > 0 ? 'longer' : 'shorter';
  return `${where}: a cold start under KEDA is ${word} by ${formatInterval({ ...gap, value: gap.value }, inSeconds)} s; the largest part of the difference is “${coldStartParts[why.part]}” (${format(why.by.value / 1_000, 2)} s on average). ${parts}`;
}

function formatDifferingParts(byPart: readonly PartGap[]): string {
  const differing = byPart.filter(({ by }) => !agrees(by));
  if (differing.length === 0) return 'The intervals of all parts include 0.';
  const each = differing.map(
    ({ part, by }) => `“${coldStartParts[part]}” by ${formatInterval(by, inSeconds)} s (${REASONS[part]})`,
  );
  return `Parts that differ on average: ${each.join('; ')}.`;
}
