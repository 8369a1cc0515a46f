/** Comparison with the published results of the original system. */
import { latencies, succeeded } from '../measures/measures.ts';
import { bootstrapInterval, createQuantile } from '../measures/statistics.ts';
import type { Condition, PlatformStudy } from '../data/study.ts';
import { format, formatInterval, inSeconds, type Table } from './table.ts';

interface Published {
  readonly what: string;
  readonly figure: string;
  /** Returns the most similar condition of this study. */
  readonly nearest: (study: PlatformStudy) => Condition | undefined;
  readonly differs: string;
}

const find = ({ conditions }: PlatformStudy, regime: string | undefined, load: RegExp): Condition | undefined =>
  conditions.find((condition) => condition.regime === regime && load.test(condition.load));
const setUp = 'OpenFaaS, an orchestrator that calls stages over HTTP, a different machine and video, no repeats';

const published: readonly Published[] = [
  {
    what: 'one warm request',
    figure: '34.0 s',
    nearest: (study) => find(study, study.regimes.at(-1), /./),
    differs: `${setUp}; a single request instead of many at the lowest tested rate`,
  },
  {
    what: 'steady, “with 5 concurrent”',
    figure: '7.0 s, all succeeded',
    nearest: (study) => find(study, study.regimes.at(-1), /steady/),
    differs: `${setUp}; its record shows requests at intervals of 5 s, not five concurrent ones`,
  },
  {
    what: 'cold burst of 5',
    figure: '62.0 s, 4 of 5 succeeded',
    nearest: (study) => find(study, study.regimes[0], /burst/),
    differs: `${setUp}; one burst of five`,
  },
];

/** Creates the table of published results, the most similar conditions of this study, and the differences in set-up. */
export function createPublishedTable(study: PlatformStudy): Table {
  return {
    name: 'original',
    title: 'Published results of the original system and this study',
    columns: [
      'experiment',
      'original, as published',
      'FAVE, median s',
      'FAVE, success %',
      'FAVE condition',
      'differences in the original',
    ],
    rows: published.map(({ what, figure, nearest, differs }) => {
      const own = nearest(study);
      const requests = own?.runs.map((run) => run.requests) ?? [];
      return [
        what,
        figure,
        own
          ? formatInterval(
              bootstrapInterval(requests, (all) => createQuantile(0.5)(latencies(all))),
              inSeconds,
            )
          : '–',
        own ? format(succeeded(requests.flat()) * 100, 1) : '–',
        own ? `${own.regime} under ${own.load}, ${own.platform}` : 'not recorded',
        differs,
      ];
    }),
  };
}
