import { greatest } from 'd3-array';
import { computeColdStarts, summarizeColdStarts, partNames, coldStartParts } from '../measures/cold-starts.ts';
import { meanOf } from '../measures/statistics.ts';
import type { PlatformStudy } from '../data/study.ts';
import { format, formatInterval, inPercent, inSeconds } from '../tables/table.ts';
import { createFinding, type Finding } from './finding.ts';

/** Creates the finding about the effect of cold starts on latency, with one sentence per condition. */
export function createColdStartFinding({ conditions, platform }: PlatformStudy): Finding {
  const place = {
    question: 2,
    title: 'Effect of cold starts on latency',
    figure: `cold-start-frequency-${platform}`,
    table: `cold-starts-${platform}`,
  } as const;
  // A lower bound of 0 may be caused by a single request.
  const met = conditions.map(summarizeColdStarts).filter(({ frequency }) => frequency.low > 0);
  const sentences = met.map(({ condition, frequency, shareOfLatency, extra }) => {
    const felt =
      extra.low > 0 ? ` Requests with a cold start take ${formatInterval(extra, inSeconds)} s longer at the median.` : '';
    return `${condition.regime} under ${condition.load}: ${formatInterval(frequency, inPercent)} % of requests have a cold start; ${formatInterval(shareOfLatency, inPercent)} % of the total latency is time spent waiting for replicas.${felt}`;
  });
  return createFinding(
    place,
    sentences,
    'The data show no effect of cold starts: the interval of their frequency includes 0 in all conditions.',
  );
}

/** Creates the finding about the longest part of a cold start. */
export function createColdPartFinding({ conditions, platform }: PlatformStudy): Finding {
  const place = {
    question: 2,
    title: 'Parts of a cold start',
    figure: 'cold-start-parts',
    table: `cold-starts-${platform}`,
  } as const;
  const starts = conditions.flatMap(({ runs }) => runs.flatMap(computeColdStarts));
  const means = partNames.map((part) => ({ part, mean: meanOf(starts.map((start) => start.parts[part])) }));
  const longest = greatest(means, ({ mean }) => mean);
  if (starts.length < 5 || !longest)
    return createFinding(place, [], `Too few cold starts were recorded (${starts.length}) for a statement about their parts.`);
  const total = meanOf(starts.map(({ total_ms }) => total_ms));
  const share = format((longest.mean / total) * 100, 0);
  return {
    ...place,
    supported: true,
    sentences: [
      `The ${starts.length} cold starts took ${format(total / 1_000, 2)} s on average. The longest part is “${coldStartParts[longest.part]}” (${share} %): ${advice[longest.part]}.`,
    ],
  };
}

const advice = {
  decision_ms: 'poll the lag more often first',
  spawn_ms: 'make the platform start processes faster; FAVE has no influence on this part',
  imports_ms: 'load less code at start-up',
  connections_ms: 'move the servers closer, or connect while the code loads',
  model_ms: 'use a smaller model, or load it before it is needed',
  first_item_ms: 'remove work that only the first item does',
} as const;
