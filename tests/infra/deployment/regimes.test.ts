import { describe, expect, it } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import { stagesWithOverrides, regimeNames, regimes, regimeSettings } from '../../../infra/deployment/regimes.ts';
import { graph } from '../../../services/pipeline.ts';
import { defineGraph } from '../../../shared/pipeline/graph.ts';
import { line, tinyGraph } from '../../fixtures/tiny/graph.ts';

/** Maximum increase of the autoscaler per sync, by default. */
const HPA_STEP = 4;

const all = regimeNames.flatMap((name) =>
  Object.entries(regimeSettings(name, graph).stages).map(([stage, scaling]) => ({ name, stage, scaling })),
);

describe('every stage named in the regimes', () => {
  it('is a stage of the pipeline', () => {
    expect(graph.stages.map(({ name }) => name)).toEqual(expect.arrayContaining(stagesWithOverrides()));
  });
});

describe('a regime', () => {
  it('has numbers for every stage, also for one that it does not know', () => {
    const settings = regimeSettings('cold', graph);
    expect(Object.keys(settings.stages)).toEqual(graph.stages.map(({ name }) => name));
    const other = defineGraph([kinds.input, kinds.canary], tinyGraph().stages);
    expect(regimeSettings('warm', other).stages[line.key.split('/')[0] ?? '']).toMatchObject(regimes.warm.scaling);
  });

  it.each(all)('$name of $stage can be followed', ({ scaling }) => {
    const { min, max, idle_s } = scaling;
    expect(max).toBeGreaterThanOrEqual(Math.max(1, min));
    // The autoscaler's own limit is not modelled here: from the first replica it must not bind.
    expect(max).toBeLessThanOrEqual(Math.max(1, min) + HPA_STEP);
    expect(idle_s).toBeLessThanOrEqual(3_600); // the longest stabilisation window that Kubernetes takes
  });

  it('runs no replicas without items in the regime cold', () => {
    expect(all.filter(({ name, scaling }) => name === 'cold' && scaling.min > 0)).toEqual([]);
  });
});
