import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Timeline } from './timeline.ts';

/** A row a stage over time: lag, pods that are wanted, pods that are ready. @returns SVG. */
export async function figure({ about, overlay, completed, stages, changes, marks = [] }: Timeline): Promise<string> {
  const end = Math.max(completed, ...changes.map(({ t }) => t));
  const measures = ['lag', 'desired', 'ready'] as const;
  const values = Object.keys(stages).flatMap((stage) => {
    const mine = changes.filter((change) => change.stage === stage);
    const before = mine.findLast(({ t }) => t < 0);
    const shown = [...(before ? [{ ...before, t: 0 }] : []), ...mine.filter(({ t }) => t >= 0)];
    const last = shown.at(-1);
    return [...shown, ...(last ? [{ ...last, t: end }] : [])].flatMap(({ t, ...change }) =>
      measures.map((what) => ({ stage, t, what, value: change[what] })),
    );
  });
  const x = { field: 't', type: 'quantitative', title: 'seconds since the upload' } as const;
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: `${overlay}: ${about}; completed after ${completed} s`,
    background: 'white',
    data: { values },
    facet: { row: { field: 'stage', sort: Object.keys(stages), header: { labelAngle: 0, labelAlign: 'left', title: null } } },
    spec: {
      width: 640,
      height: 56,
      layer: [
        {
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
          encoding: {
            x,
            y: { field: 'value', type: 'quantitative', title: null, axis: { tickCount: 3, format: 'd' } },
            color: {
              field: 'what',
              type: 'nominal',
              title: null,
              scale: { domain: [...measures], range: ['#999999', '#e69f00', '#0072b2'] },
            },
          },
        },
        { data: { values: [...marks] }, mark: { type: 'rule', color: '#d55e00', strokeDash: [4, 3] }, encoding: { x } },
      ],
    },
    resolve: { scale: { y: 'independent' } },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
