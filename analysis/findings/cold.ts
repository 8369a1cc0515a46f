import { greatest } from 'd3-array';
import { computeColdStarts, summarizeColdStarts, partNames, coldStartParts } from '../measures/cold-starts.ts';
import { meanOf } from '../measures/statistics.ts';
import type { PlatformStudy } from '../data/study.ts';
import { format, formatInterval, inPercent, inSeconds } from '../tables/table.ts';
import type { Finding } from './finding.ts';

/** What cold starts do to latency, condition by condition. */
export function createColdStartFinding({ conditions, platform }: PlatformStudy): Finding {
  const place = {
    question: 2,
    title: 'What cold starts cost in latency',
    figure: `cold-start-frequency-${platform}`,
    table: `cold-starts-${platform}`,
  } as const;
  // Below the interval's lower bound it may be a single unlucky request.
  const met = conditions.map(summarizeColdStarts).filter(({ frequency }) => frequency.low > 0);
  if (met.length === 0)
    return {
      ...place,
      supported: false,
      sentences: ['Cold starts do not show in the data: in no condition is their frequency above 0 by its interval.'],
    };
  const sentences = met.map(({ condition, frequency, shareOfLatency, extra }) => {
    const felt = extra.low > 0 ? ` Requests with one take ${formatInterval(extra, inSeconds)} s longer at the median.` : '';
    return `${condition.regime} under ${condition.load}: ${formatInterval(frequency, inPercent)} % of requests meet a cold start; ${formatInterval(shareOfLatency, inPercent)} % of all latency is waiting for replicas.${felt}`;
  });
  return { ...place, supported: true, sentences };
}

/** Which part of a cold start is the longest. */
export function createColdPartFinding({ conditions, platform }: PlatformStudy): Finding {
  const place = {
    question: 2,
    title: 'What a cold start consists of',
    figure: 'cold-start-parts',
    table: `cold-starts-${platform}`,
  } as const;
  const starts = conditions.flatMap(({ runs }) => runs.flatMap(computeColdStarts));
  const means = partNames.map((part) => ({ part, mean: meanOf(starts.map((start) => start.parts[part])) }));
  const longest = greatest(means, ({ mean }) => mean);
  if (starts.length < 5 || !longest)
    return {
      ...place,
      supported: false,
      sentences: [`Too few cold starts were recorded (${starts.length}) to say what they consist of.`],
    };
  const total = meanOf(starts.map(({ total_ms }) => total_ms));
  const share = format((longest.mean / total) * 100, 0);
  return {
    ...place,
    supported: true,
    sentences: [
      `Of ${starts.length} cold starts, ${format(total / 1_000, 2)} s long on average, the longest part is “${coldStartParts[longest.part]}” (${share} %): ${advice[longest.part]}.`,
    ],
  };
}

const advice = {
  decision_ms: 'poll the lag more often before anything else',
  spawn_ms: 'the platform, not FAVE, is what to make faster',
  imports_ms: 'less code at start-up pays most',
  connections_ms: 'servers nearby, or connections that are made while code loads, pay most',
  model_ms: 'a smaller model, or one that is loaded before it is needed, pays most',
  first_item_ms: 'what a first item does that later ones do not pays most',
} as const;
