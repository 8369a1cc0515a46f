import { least } from 'd3-array';
import { latencies } from '../measures/measures.ts';
import { queueSpan, busySpan } from '../measures/occupancy.ts';
import { stageOrder } from '../measures/stages.ts';
import { createQuantile } from '../measures/statistics.ts';
import type { Condition } from '../data/study.ts';
import { ordinal, quantity, type Figure } from './figure.ts';

const kinds = ['queued', 'processed', 'processed after a cold start'];

/** Creates the timeline of one request: the one whose latency is closest to the median of its condition. */
export function createWaterfallFigure({ runs, regime, load, platform }: Condition): Figure {
  const requests = runs.flatMap((run) => run.requests.map((request) => ({ run, request })));
  const median = createQuantile(0.5)(latencies(requests.map(({ request }) => request)));
  const chosen = least(
    requests.filter(({ request }) => request.status === 'completed'),
    ({ request }) => Math.abs((request.latency_ms ?? Infinity) - median),
  );
  const items = chosen?.run.items.filter(({ request_id }) => request_id === chosen.request.request_id) ?? [];
  const begun = Date.parse(chosen?.request.intended ?? '');
  const values = items.flatMap((item) =>
    [queueSpan(item), busySpan(item)].map(([from, to], n) => ({
      stage: item.stage,
      item: item.item,
      from: (from - begun) / 1_000,
      to: (to - begun) / 1_000,
      kind: kinds[n === 0 ? 0 : item.cold_start ? 2 : 1],
    })),
  );
  const title = `One request, ${regime}, ${load}`;
  return {
    name: `waterfall-${regime}-${load}-${platform}`,
    title,
    caption: `All items of the request with the median latency of “${regime}” under “${load}” (${((chosen?.request.latency_ms ?? NaN) / 1_000).toFixed(2)} s): queue time and processing time. One row per item, grouped by stage.`,
    spec: {
      title,
      width: 640,
      height: { step: Math.max(4, 16 - items.length / 8), for: 'position' },
      data: { values },
      mark: { type: 'bar', minBandSize: 2 },
      encoding: {
        y: ordinal('stage', stageOrder(chosen ? [chosen.run] : [])),
        yOffset: { field: 'item', type: 'ordinal' },
        x: quantity('from', 'seconds since the planned arrival'),
        x2: { field: 'to' },
        color: {
          field: 'kind',
          type: 'nominal',
          scale: { domain: kinds, range: ['#bdbdbd', '#0072B2', '#D55E00'] },
          title: null,
        },
      },
    },
  };
}
