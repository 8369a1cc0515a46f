/** The original's published figures beside ours. */
import { latencies, succeeded } from '../measures/measures.ts';
import { bootstrapInterval, createQuantile } from '../measures/statistics.ts';
import type { Condition, PlatformStudy } from '../data/study.ts';
import { format, formatInterval, inSeconds, type Table } from './table.ts';

interface Published {
  readonly what: string;
  readonly figure: string;
  /** Ours that comes nearest. */
  readonly nearest: (study: PlatformStudy) => Condition | undefined;
  readonly differs: string;
}

const find = ({ conditions }: PlatformStudy, regime: string | undefined, load: RegExp): Condition | undefined =>
  conditions.find((condition) => condition.regime === regime && load.test(condition.load));
const setUp = 'OpenFaaS, an orchestrator that calls stages over HTTP, another machine and video, no repeats';

const published: readonly Published[] = [
  {
    what: 'one warm request',
    figure: '34.0 s',
    nearest: (study) => find(study, study.regimes.at(-1), /./),
    differs: `${setUp}; one request, ours are many at the lowest rate that was tried`,
  },
  {
    what: 'steady, “with 5 concurrent”',
    figure: '7.0 s, all succeeded',
    nearest: (study) => find(study, study.regimes.at(-1), /steady/),
    differs: `${setUp}; its record shows requests 5 s apart, not five at once`,
  },
  {
    what: 'cold burst of 5',
    figure: '62.0 s, 4 of 5 succeeded',
    nearest: (study) => find(study, study.regimes[0], /burst/),
    differs: `${setUp}; one burst of five`,
  },
];

/** What the original published, what of ours comes nearest, and what differs in set-up; they are not the same experiment. */
export function createPublishedTable(study: PlatformStudy): Table {
  return {
    name: 'original',
    title: 'The original’s published figures beside ours',
    columns: ['what', 'original, as published', 'ours, median s', 'ours, success %', 'ours is', 'what differs in the original'],
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
