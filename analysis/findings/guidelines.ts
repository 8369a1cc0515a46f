/** How to choose min and max replicas and the idle time-out, as far as the data carry it. */
import { mean } from 'd3-array';
import type { Comparison } from '../measures/compare.ts';
import { measures } from '../measures/measures.ts';
import { computeStageTimes } from '../measures/stages.ts';
import type { PlatformStudy, RecordedCell } from '../data/study.ts';
import { format, formatInterval, inPercent } from '../tables/table.ts';
import { timeoutCandidates, findSufficientTimeout, evaluateTimeouts } from '../measures/idle-timeouts.ts';
import { isShown, type Finding } from './finding.ts';

/** Min replicas: where one regime is shown to be faster and to idle dearer, what a second costs. */
export function createMinFinding(comparisons: readonly Comparison[], platform: string): Finding {
  const place = {
    question: 3,
    title: 'Choosing min replicas',
    figure: `cost-latency-frontier-${platform}`,
    table: `tests-${platform}`,
  } as const;
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
          `${gain} and costs ${format(more, 2)} GB·s of idling a request more: ${format(more / seconds, 2)} GB·s for a second. Raise min where a second is worth that.`,
        ]
      : [`${gain} and idles for less: prefer ${quick}.`];
  });
  if (sentences.length > 0) return { ...place, supported: true, sentences };
  return {
    ...place,
    supported: false,
    sentences: ['The data do not carry a guideline: no two regimes are shown to differ in both p95 latency and idle cost.'],
  };
}

/** Max replicas: who waits longer than it is worked on, and whether the machine had anything left. */
export function createMaxFinding({ conditions, platform, loads }: PlatformStudy): Finding {
  const place = {
    question: 3,
    title: 'Choosing max replicas',
    figure: `replicas-and-lag-${loads.at(-1) ?? ''}-${platform}`,
    table: `stages-${platform}`,
  } as const;
  const sentences = conditions.flatMap((condition) => {
    const waiting = computeStageTimes(condition).filter(({ queueShare }) => queueShare.low > 0.5);
    if (waiting.length === 0) return [];
    const names = waiting.map(
      ({ stage, queueShare }) => `${stage} (${formatInterval(queueShare, inPercent)} % of its items’ time)`,
    );
    const busy = mean(condition.runs.flatMap(fullyBusy)) ?? 0;
    const advice =
      busy > 0.25
        ? `while items waited all cores were busy in ${format(busy * 100, 0)} % of the snapshots, so that more replicas on this machine would only share them`
        : `the cores were all busy in only ${format(busy * 100, 0)} % of the snapshots with waiting items: a higher max, or a lower lag target, has room`;
    return [
      `${condition.regime} under ${condition.load}: items wait longer than they are worked on at ${names.join(', ')}; ${advice}.`,
    ];
  });
  if (sentences.length > 0) return { ...place, supported: true, sentences };
  return {
    ...place,
    supported: false,
    sentences: [
      'In no condition do items wait longer than they are worked on: the data give no reason for a higher max than was tried.',
    ],
  };
}

/** Of each snapshot with lag: 1 where at least nine tenths of all cores were busy, else 0. */
function fullyBusy({ snapshots }: RecordedCell): number[] {
  return snapshots.filter(({ stages }) => Object.values(stages).some(({ lag }) => lag > 0)).map(({ cpu }) => Number(cpu >= 0.9));
}

/** The idle time-out: the shortest that outlasts most gaps between items, and what it costs. */
export function createTimeoutFinding({ conditions, platform, loads }: PlatformStudy): Finding {
  const sentences = loads.flatMap((load) => {
    const timeouts = evaluateTimeouts(conditions.filter((condition) => condition.load === load).flatMap(({ runs }) => runs));
    if (timeouts.some(({ cold }) => Number.isNaN(cold))) return [];
    const enough = findSufficientTimeout(timeouts);
    const next = `the longest computed, ${timeoutCandidates.at(-1) ?? 0} s, is outlasted by more than a tenth of the gaps: there, a time-out does not replace a min of 1`;
    return [
      enough
        ? `Under ${load}, a time-out of ${enough.seconds} s is outlasted by ${format(enough.cold * 100, 1)} % of the gaps between a stage’s items and costs ${format(enough.idle, 2)} GB·s of idling a request; a longer one buys little.`
        : `Under ${load}, ${next}.`,
    ];
  });
  return {
    question: 3,
    title: 'Choosing the idle time-out (computed from recorded gaps, not measured)',
    supported: sentences.length > 0,
    sentences: sentences.length > 0 ? sentences : ['No stage had a gap between items: the data say nothing about the time-out.'],
    figure: `cold-start-frequency-${platform}`,
    table: `timeouts-${platform}`,
  };
}
