import type { Study } from '../data/study.ts';
import { coldFrequency, coldParts } from './cold.ts';
import type { Figure } from './figure.ts';
import { costLatency } from './frontier.ts';
import { latencyAndCost, latencyCdf } from './latency.ts';
import { scalingOverTime } from './scaling.ts';
import { waterfall } from './waterfall.ts';

/** Every figure of a study, in the report's order. */
export function figuresOf({ platforms }: Study): Figure[] {
  const ofPlatforms = platforms.flatMap((study) => [
    latencyAndCost(study),
    latencyCdf(study),
    coldFrequency(study),
    costLatency(study),
    ...study.loads.map((load) => scalingOverTime(study, load)),
    // The load with the lowest rate, at which a request has the pipeline to itself.
    ...study.conditions.filter(({ load }) => load === study.loads[0]).map(waterfall),
  ]);
  return platforms.length === 0 ? [] : [...ofPlatforms, coldParts(platforms)];
}
