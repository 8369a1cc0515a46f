import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Timeline } from './scenario-report.ts';

const FIRST = 'first item done';
const MARK = 'event (dashed)';

/** Draws a row per stage over time: lag, desired pods, ready pods and the first item. @returns SVG. */
export async function figure({ about, overlay, completed, stages, changes, marks = [] }: Timeline): Promise<string> {
  const end = Math.max(completed, ...changes.map(({ t }) => t));
  const measures = ['lag', 'desired', 'ready'] as const;
  const values = Object.entries(stages).flatMap(([stage, { first_item }]) => {
    const mine = changes.filter((change) => change.stage === stage);
    const before = mine.findLast(({ t }) => t < 0);
    const shown = [...(before ? [{ ...before, t: 0 }] : []), ...mine.filter(({ t }) => t >= 0)];
    const last = shown.at(-1);
    const lines = [...shown, ...(last ? [{ ...last, t: end }] : [])].flatMap(({ t, ...change }) =>
      measures.map((label) => ({ stage, t, label, value: change[label] })),
    );
    return first_item === undefined ? lines : [...lines, { stage, t: first_item, label: FIRST, value: 0 }];
  });
  const x = { field: 't', type: 'quantitative', title: 'seconds since the upload' } as const;
  const color = {
    field: 'label',
    type: 'nominal',
    title: null,
    scale: {
      domain: [...measures, FIRST, ...(marks.length > 0 ? [MARK] : [])],
      range: ['#999999', '#e69f00', '#0072b2', '#009e73', '#d55e00'],
    },
  } as const;
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
          transform: [{ filter: { not: { field: 'label', equal: FIRST } } }],
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
          encoding: {
            x,
            y: { field: 'value', type: 'quantitative', title: null, axis: { tickCount: 3, format: 'd' } },
            color,
          },
        },
        {
          transform: [{ filter: { field: 'label', equal: FIRST } }],
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x, color },
        },
        {
          data: { values: marks.map(({ t }) => ({ t, label: MARK })) },
          mark: { type: 'rule', strokeDash: [4, 3] },
          encoding: { x, color },
        },
      ],
    },
    resolve: { scale: { y: 'independent' } },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
