/** Local cold starts beside KEDA's. */
import { greatest } from 'd3-array';
import { coldStartsOf, partNames, parts } from './cold.ts';
import { runsOf } from './compare.ts';
import { difference, meanOf, quantileOf, type Interval } from './statistics.ts';
import type { PlatformStudy } from './study.ts';
import { format, formatInterval, inSeconds, type Table } from './table.ts';

export interface PlatformComparison {
  readonly table: Table;
  readonly sentences: readonly string[];
}

/** Compares cold starts of the conditions that both platforms have: whether they agree, and if not, which part makes most of it. */
export function comparePlatforms(local: PlatformStudy, kubernetes: PlatformStudy): PlatformComparison {
  const shared = local.conditions.flatMap(({ regime, load }) => {
    const groups = [local, kubernetes].map((study) => runsOf(study, regime, load).map(coldStartsOf));
    return groups.some((runs) => runs.flat().length === 0) ? [] : [{ regime, load, groups }];
  });
  const median = quantileOf(0.5);
  const rows = shared.map(({ regime, load, groups }) => {
    const totals = groups.map((runs) => runs.map((starts) => starts.map(({ total_ms }) => total_ms)));
    const gap = difference(totals, ([here = [], there = []]) => median(there) - median(here));
    const [here = NaN, there = NaN] = totals.map((runs) => median(runs.flat()));
    const means = partNames.map((part) => {
      const [l = NaN, k = NaN] = groups.map((runs) => meanOf(runs.flat().map((start) => start.parts[part])));
      return { part, by: k - l };
    });
    const why = greatest(means, ({ by }) => by * Math.sign(gap.value)) ?? { part: partNames[0] ?? 'decision_ms', by: NaN };
    return { regime, load, here, there, gap, why, agrees: agrees(gap) };
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
        `${parts[why.part]} (${format(why.by / 1_000, 2)} s)`,
      ]),
    },
    sentences:
      rows.length === 0 ? ['No condition has cold starts on both platforms: nothing can be compared.'] : rows.map(sentence),
  };
}

const agrees = ({ low, high }: Interval): boolean => low <= 0 && high >= 0;

function sentence({
  regime,
  load,
  gap,
  why,
  agrees: same,
}: {
  regime: string;
  load: string;
  gap: Interval;
  why: { part: keyof typeof parts; by: number };
  agrees: boolean;
}): string {
  const where = `${regime} under ${load}`;
  if (same) return `${where}: the platforms agree within the interval (difference ${formatInterval(gap, inSeconds)} s).`;
  const word = gap.value > 0 ? 'longer' : 'shorter';
  return `${where}: a cold start under KEDA is ${word} by ${formatInterval({ ...gap, value: gap.value }, inSeconds)} s; most of it is “${parts[why.part]}” (${format(why.by / 1_000, 2)} s on average).`;
}
