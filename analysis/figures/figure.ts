import type { Config, TopLevelSpec } from 'vega-lite';

/** A figure before rendering. */
export interface Figure {
  /** File name without extension. */
  readonly name: string;
  readonly title: string;
  /** Description of the content, the method and its limits. */
  readonly caption: string;
  readonly spec: TopLevelSpec;
}

/** The colour-blind safe palette of Okabe and Ito, without yellow, which has too little contrast on white. */
export const colours = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#D55E00', '#56B4E9', '#000000', '#999999'] as const;

export const FONT = 'DejaVu Sans';

/** Common style of all figures. */
export const config: Config = {
  background: 'white',
  font: FONT,
  title: { anchor: 'start', fontSize: 14, fontWeight: 'bold', offset: 14 },
  axis: {
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    gridColor: '#e5e5e5',
    labelLimit: 240,
    titlePadding: 8,
  },
  header: { labelFontSize: 12, titleFontSize: 12, labelFontWeight: 'bold', title: null },
  legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', labelLimit: 240 },
  view: { stroke: '#cccccc' },
  range: { category: [...colours] },
  padding: 12,
};

/** Returns the colour encoding of regimes, which is the same in all figures. */
export const regimeColour = (regimes: readonly string[], legend = true) => ({
  field: 'regime',
  type: 'nominal' as const,
  scale: { domain: [...regimes], range: [...colours.slice(0, regimes.length)] },
  ...(legend ? { title: 'regime' } : { legend: null }),
});

export const ordinal = (field: string, order: readonly string[], title: string | null = null) => ({
  field,
  type: 'ordinal' as const,
  sort: [...order],
  title,
});

export const quantity = (field: string, title: string) => ({ field, type: 'quantitative' as const, title });
