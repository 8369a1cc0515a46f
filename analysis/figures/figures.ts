import type { Study } from '../data/study.ts';
import { createColdFrequencyFigure, createColdPartsFigure } from './cold.ts';
import type { Figure } from './figure.ts';
import { createFrontierFigure } from './frontier.ts';
import { createLatencyAndCostFigure, createLatencyCdfFigure } from './latency.ts';
import { createScalingFigure } from './scaling.ts';
import { createWaterfallFigure } from './waterfall.ts';

/** Every figure of a study, in the report's order. */
export function createFigures({ platforms }: Study): Figure[] {
  const ofPlatforms = platforms.flatMap((study) => [
    createLatencyAndCostFigure(study),
    createLatencyCdfFigure(study),
    createColdFrequencyFigure(study),
    createFrontierFigure(study),
    ...study.loads.map((load) => createScalingFigure(study, load)),
    // The load with the lowest rate, at which a request has the pipeline to itself.
    ...study.conditions.filter(({ load }) => load === study.loads[0]).map(createWaterfallFigure),
  ]);
  return platforms.length === 0 ? [] : [...ofPlatforms, createColdPartsFigure(platforms)];
}
