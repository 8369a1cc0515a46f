import type { Study } from '../data/study.ts';
import { createColdFrequencyFigure, createColdPartsFigure } from './cold.ts';
import type { Figure } from './figure.ts';
import { createFrontierFigure } from './frontier.ts';
import { createLatencyAndCostFigure, createLatencyCdfFigure } from './latency.ts';
import { createScalingFigure } from './scaling.ts';
import { createWaterfallFigure } from './waterfall.ts';

/** Creates all figures of a study in the order of the report. */
export function createFigures({ platforms }: Study): Figure[] {
  const ofPlatforms = platforms.flatMap((study) => [
    createLatencyAndCostFigure(study),
    createLatencyCdfFigure(study),
    createColdFrequencyFigure(study),
    createFrontierFigure(study),
    ...study.loads.map((load) => createScalingFigure(study, load)),
    // At the lowest rate, a request rarely shares the pipeline with others.
    ...study.conditions.filter(({ load }) => load === study.loads[0]).map(createWaterfallFigure),
  ]);
  return platforms.length === 0 ? [] : [...ofPlatforms, createColdPartsFigure(platforms)];
}
