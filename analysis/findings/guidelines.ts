/** Guidelines for min and max replicas and the idle timeout, as far as the data support them. */
import { mean } from 'd3-array';
import type { Comparison } from '../measures/compare.ts';
import { measures } from '../measures/measures.ts';
import { computeStageTimes } from '../measures/stages.ts';
import type { PlatformStudy, RecordedCell } from '../data/study.ts';
import { format, formatInterval, inPercent } from '../tables/table.ts';
import { timeoutCandidates, findSufficientTimeout, evaluateTimeouts } from '../measures/idle-timeouts.ts';
import { createFinding, isShown, type Finding } from './finding.ts';

/** Creates the guideline for min replicas: the idle cost per saved second, where a regime is shown to be faster. */
export function createMinFinding(comparisons: readonly Comparison[], platform: string): Finding {
  const faster = comparisons.filter((each) => each.measure === measures.tail && isShown(each));
  const sentences = faster.flatMap(({ a, b, load, contrast }) => {
    const idle = comparisons.find((each) => each.measure === measures.idle && each.a === a && each.b === b && each.load === load);
    if (!idle || !isShown(idle)) return [];
    const [quick, slow] = contrast.value < 0 ? [b, a] : [a, b];
    const seconds = Math.abs(contrast.value) / 1_000;
    const more = idle.contrast.value * (contrast.value < 0 ? 1 : -1);
    const where = load === undefined ? 'Over all loads' : `Under ${load}`;
    const gain = `${where}, ${quick} instead of ${slow} saves ${format(seconds, 2)} s of the p95 latency`;
    return more > 0
      ? [
          `${gain} and adds ${format(more, 2)} GB·s of idle cost per request, which is ${format(more / seconds, 2)} GB·s per second saved. Raise min where a second is worth this cost.`,
        ]
      : [`${gain} and has a lower idle cost: prefer ${quick}.`];
  });
  return createFinding(
    {
      question: 3,
      title: 'Choosing min replicas',
      figure: `cost-latency-frontier-${platform}`,
      table: `tests-${platform}`,
    },
    sentences,
    'The data do not support a guideline: no two regimes are shown to differ in both p95 latency and idle cost.',
  );
}

/** Creates the guideline for max replicas: the stages whose items queue longer than they run, and whether cores were free. */
export function createMaxFinding({ conditions, platform, loads }: PlatformStudy): Finding {
  const sentences = conditions.flatMap((condition) => {
    const waiting = computeStageTimes(condition).filter(({ queueShare }) => queueShare.low > 0.5);
    if (waiting.length === 0) return [];
    const names = waiting.map(
      ({ stage, queueShare }) => `${stage} (${formatInterval(queueShare, inPercent)} % of the time of its items)`,
    );
    const busy = mean(condition.runs.flatMap(fullyBusy)) ?? 0;
    const advice =
      busy > 0.25
        ? `all cores were busy in ${format(busy * 100, 0)} % of the snapshots with queued items, so more replicas on this machine would compete for them`
        : `all cores were busy in only ${format(busy * 100, 0)} % of the snapshots with queued items, so a higher max or a lower lag target can help`;
    return [
      `${condition.regime} under ${condition.load}: items are queued longer than they are processed at ${names.join(', ')}; ${advice}.`,
    ];
  });
  return createFinding(
    {
      question: 3,
      title: 'Choosing max replicas',
      figure: `replicas-and-lag-${loads.at(-1) ?? ''}-${platform}`,
      table: `stages-${platform}`,
    },
    sentences,
    'Items are processed longer than they are queued in all conditions: the data give no reason for a higher max than the tested values.',
  );
}

/** Returns 1 per snapshot with lag in which at least 90 % of all cores were busy, otherwise 0. */
function fullyBusy({ snapshots }: RecordedCell): number[] {
  return snapshots.filter(({ stages }) => Object.values(stages).some(({ lag }) => lag > 0)).map(({ cpu }) => Number(cpu >= 0.9));
}

/** Creates the guideline for the idle timeout: the shortest one that is longer than most gaps between items, and its cost. */
export function createTimeoutFinding({ conditions, platform, loads }: PlatformStudy): Finding {
  const sentences = loads.flatMap((load) => {
    const timeouts = evaluateTimeouts(conditions.filter((condition) => condition.load === load).flatMap(({ runs }) => runs));
    if (timeouts.some(({ cold }) => Number.isNaN(cold))) return [];
    const enough = findSufficientTimeout(timeouts);
    const next = `more than 10 % of the gaps are longer than the longest candidate, ${timeoutCandidates.at(-1) ?? 0} s: a timeout does not replace a min of 1`;
    return [
      enough
        ? `Under ${load}, ${format(enough.cold * 100, 1)} % of the gaps between items of a stage are longer than a timeout of ${enough.seconds} s, which costs ${format(enough.idle, 2)} GB·s of idle cost per request; a longer timeout gains little.`
        : `Under ${load}, ${next}.`,
    ];
  });
  return createFinding(
    {
      question: 3,
      title: 'Choosing the idle timeout (computed from recorded gaps, not measured)',
      figure: `cold-start-frequency-${platform}`,
      table: `timeouts-${platform}`,
    },
    sentences,
    'The data do not support a guideline: no stage had a gap between items.',
  );
}
