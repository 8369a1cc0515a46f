import type { Comparison } from '../measures/compare.ts';
import { measures, type Measure } from '../measures/measures.ts';
import type { PlatformStudy } from '../data/study.ts';
import { createColdPartFinding, createColdStartFinding } from './cold.ts';
import { createContrastFinding, type Finding } from './finding.ts';
import { createMaxFinding, createMinFinding, createTimeoutFinding } from './guidelines.ts';

/** Returns all findings about a platform, supported or not, in the order of the report. */
export function findFindings(study: PlatformStudy, comparisons: readonly Comparison[]): Finding[] {
  return [
    ...createEffectFindings(study.platform, comparisons),
    createColdStartFinding(study),
    createColdPartFinding(study),
    ...guidelines(study, comparisons),
  ];
}

/** Creates the findings about differences between regimes, each based on a corrected test. */
export function createEffectFindings(platform: string, comparisons: readonly Comparison[]): Finding[] {
  const table = `tests-${platform}`;
  const by = (measure: Measure): Comparison[] => comparisons.filter((each) => each.measure === measure);
  const figures = {
    latency: `latency-and-cost-${platform}`,
    tail: `latency-cdf-${platform}`,
    cold: `cold-start-frequency-${platform}`,
    cost: `latency-and-cost-${platform}`,
    idle: `cost-latency-frontier-${platform}`,
    success: `latency-and-cost-${platform}`,
  } as const satisfies Record<keyof typeof measures, string>;
  const one = (name: keyof typeof measures, question: 2 | 3, title: string): Finding =>
    createContrastFinding(measures[name].name, by(measures[name]), { question, title, figure: figures[name], table });
  return [
    one('latency', 2, 'Typical latency'),
    one('tail', 2, 'Latency of the slowest 5 % of requests'),
    one('cold', 2, 'Frequency of cold starts'),
    one('success', 2, 'Success'),
    one('cost', 3, 'Run cost'),
    one('idle', 3, 'Idle cost'),
    createContrastFinding(
      'the run time of any stage',
      comparisons.filter(({ measure }) => measure.ratio),
      { question: 2, title: 'Stages that take longer', figure: figures.latency, table },
    ),
  ];
}

function guidelines(study: PlatformStudy, comparisons: readonly Comparison[]): Finding[] {
  return [createMinFinding(comparisons, study.platform), createMaxFinding(study), createTimeoutFinding(study)];
}
