import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { summarizeColdStarts } from '../../analysis/measures/cold-starts.ts';
import { compareAll, compareBy, compareStages } from '../../analysis/measures/compare.ts';
import { createColdStartFinding } from '../../analysis/findings/cold.ts';
import { createEffectFindings } from '../../analysis/findings/findings.ts';
import { isShown } from '../../analysis/findings/finding.ts';
import { createMaxFinding, createMinFinding } from '../../analysis/findings/guidelines.ts';
import { idlePerRequest, measures } from '../../analysis/measures/measures.ts';
import { computeOccupancy } from '../../analysis/measures/occupancy.ts';
import type { Interval } from '../../analysis/measures/statistics.ts';
import { groupCells, type PlatformStudy } from '../../analysis/data/study.ts';
import { MEMORY_MB, createSyntheticCells, type Plan } from './synthetic.ts';

// Resampling takes long on a loaded machine.
vi.setConfig({ testTimeout: 240_000 });

const studied = (plan: Omit<Plan, 'loads'>): PlatformStudy => {
  const [study] = groupCells(
    createSyntheticCells({ loads: { steady: 12, bursty: 8 }, repeats: 4, requests: 20, ...plan }),
  ).platforms;
  return study!;
};

const holds = ({ low, high }: Interval, truth: number): boolean => low <= truth && truth <= high;

describe('the analysis of data with known effects', () => {
  it('finds a cold start of 800 ms in 30 % of the requests', () => {
    const study = studied({ regimes: { cold: { coldShare: 0.3, coldMs: 800 }, warm: { replicas: 2 } }, requests: 60 });
    for (const condition of study.conditions.filter(({ regime }) => regime === 'cold')) {
      const { frequency, extra, duration, shareOfLatency } = summarizeColdStarts(condition);
      expect(holds(frequency, 0.3), `frequency ${JSON.stringify(frequency)}`).toBe(true);
      expect(holds(extra, 800), `extra ${JSON.stringify(extra)}`).toBe(true);
      expect(duration).toEqual({ value: 800, low: 800, high: 800 });
      // 0.3 × 800 ms of 4.5 s + 0.3 × 0.8 s
      expect(holds(shareOfLatency, 240 / 4_790), `share ${JSON.stringify(shareOfLatency)}`).toBe(true);
    }
    const finding = createColdStartFinding(study);
    expect(finding.supported).toBe(true);
    expect(finding.sentences.join()).toContain('cold under steady');
    expect(finding.sentences.join()).not.toContain('warm under');
    const compared = compareBy(study, measures.cold);
    expect(compared.find(({ load }) => load === undefined)).toSatisfy(isShown);
  });

  it('finds the only stage whose run time doubled', () => {
    const study = studied({ regimes: { warm: {}, slow: { replicas: 2, slow: { 'stage-librosa': 2 } } } });
    const shown = compareStages(study).filter(isShown);
    expect(shown.map(({ measure }) => measure.name)).toEqual(['run time of stage-librosa']);
    expect(holds(shown[0]!.contrast, 2), JSON.stringify(shown[0]!.contrast)).toBe(true);
  });

  it('finds the idle cost of replicas and its price per saved second', () => {
    const regimes = { cold: { coldShare: 0.5, coldMs: 2_000 }, ready: { replicas: 3 } };
    const study = studied({ regimes });
    for (const { runs, regime, load } of study.conditions) {
      const spacing = load === 'steady' ? 12 : 8;
      for (const run of runs) {
        const stages = computeOccupancy(run);
        const busy = stages.reduce((all, { busySeconds }) => all + busySeconds, 0);
        const work = run.items.reduce((all, { duration_ms }) => all + duration_ms / 1_000, 0);
        expect(busy).toBeCloseTo(work, 6);
        if (regime !== 'ready') continue;
        // Six stages with three replicas each, for the whole cell.
        const replicaSeconds = 3 * 6 * spacing * 20;
        expect(idlePerRequest(run)).toBeCloseTo(((replicaSeconds - work) * MEMORY_MB) / 1_024 / 20, 6);
      }
    }
    const comparisons = compareAll(study);
    const finding = createMinFinding(comparisons, 'local');
    expect(finding.supported).toBe(true);
    expect(finding.sentences[0]).toMatch(
      /ready instead of cold saves \d\.\d\d s .* adds \d+\.\d\d GB·s of idle cost per request/,
    );
    const shown = createEffectFindings('local', comparisons).filter(({ supported }) => supported);
    expect(shown.map(({ title }) => title)).toEqual(expect.arrayContaining(['Typical latency', 'Idle cost']));
    expect(shown.map(({ title }) => title)).not.toContain('Success');
  });
});

describe('the analysis of data without effects', () => {
  it('supports no finding', () => {
    const study = studied({ regimes: { one: {}, two: {} }, seed: 5 });
    const comparisons = compareAll(study);
    expect(createEffectFindings('local', comparisons).filter(({ supported }) => supported)).toEqual([]);
    expect(
      [createColdStartFinding(study), createMinFinding(comparisons, 'local'), createMaxFinding(study)].map(
        ({ supported }) => supported,
      ),
    ).toEqual([false, false, false]);
  });

  it('shows a difference in latency no more often than the significance level', async () => {
    const seeds = Array.from({ length: 24 }, (_, n) => 100 + n);
    const wrong: number[] = [];
    for (const seed of seeds) {
      const study = studied({ regimes: { one: {}, two: {} }, requests: 8, seed });
      if (compareBy(study, measures.latency).some(isShown)) wrong.push(seed);
      // Yields to the test runner, which kills a worker that does not respond for a minute.
      await setImmediate();
    }
    // The expectation is 1.2 at a family-wise level of 5 %; the probability of 5 or more is 1/150.
    expect(wrong.length).toBeLessThan(5);
  });

  it('reports too few repeats as the reason for a missing result', () => {
    const study = studied({
      regimes: { cold: { coldShare: 1, coldMs: 5_000 }, warm: { replicas: 2 } },
      repeats: 2,
      requests: 5,
    });
    const [latency] = createEffectFindings('local', compareAll(study));
    expect(latency).toMatchObject({
      supported: false,
      sentences: [expect.stringContaining('too small for any test to show a difference')],
    });
  });
});
