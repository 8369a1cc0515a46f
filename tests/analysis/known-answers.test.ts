import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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

// Resampling is all that these do; the machine may be busy with other test files.
const SLOW = 240_000;

const studied = (plan: Omit<Plan, 'loads'>): PlatformStudy => {
  const [study] = groupCells(
    createSyntheticCells({ loads: { steady: 12, bursty: 8 }, repeats: 4, requests: 20, ...plan }),
  ).platforms;
  return study!;
};

const holds = ({ low, high }: Interval, truth: number): boolean => low <= truth && truth <= high;

describe('planted effects', () => {
  it(
    'finds a cold start of 800 ms in 30 % of the requests',
    () => {
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
    },
    SLOW,
  );

  it(
    'finds a stage that takes twice as long, and no other',
    () => {
      const study = studied({ regimes: { warm: {}, slow: { replicas: 2, slow: { 'stage-librosa': 2 } } } });
      const shown = compareStages(study).filter(isShown);
      expect(shown.map(({ measure }) => measure.name)).toEqual(['run time of stage-librosa']);
      expect(holds(shown[0]!.contrast, 2), JSON.stringify(shown[0]!.contrast)).toBe(true);
    },
    SLOW,
  );

  it(
    'finds what replicas cost while idle, and prices seconds by it',
    () => {
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
          // Three replicas of six stages, all the time.
          const there = 3 * 6 * spacing * 20;
          expect(idlePerRequest(run)).toBeCloseTo(((there - work) * MEMORY_MB) / 1_024 / 20, 6);
        }
      }
      const comparisons = compareAll(study);
      const finding = createMinFinding(comparisons, 'local');
      expect(finding.supported).toBe(true);
      expect(finding.sentences[0]).toMatch(
        /ready instead of cold saves \d\.\d\d s .* costs \d+\.\d\d GB·s of idling a request more/,
      );
      const shown = createEffectFindings('local', comparisons).filter(({ supported }) => supported);
      expect(shown.map(({ title }) => title)).toEqual(expect.arrayContaining(['Typical latency', 'What waiting for work costs']));
      expect(shown.map(({ title }) => title)).not.toContain('Success');
    },
    SLOW,
  );
});

describe('nothing planted', () => {
  it(
    'claims nothing',
    () => {
      const study = studied({ regimes: { one: {}, two: {} }, seed: 5 });
      const comparisons = compareAll(study);
      expect(createEffectFindings('local', comparisons).filter(({ supported }) => supported)).toEqual([]);
      expect(
        [createColdStartFinding(study), createMinFinding(comparisons, 'local'), createMaxFinding(study)].map(
          ({ supported }) => supported,
        ),
      ).toEqual([false, false, false]);
    },
    SLOW,
  );

  it(
    'claims a difference in latency no more often than the level says',
    async () => {
      const seeds = Array.from({ length: 24 }, (_, n) => 100 + n);
      const wrong: number[] = [];
      for (const seed of seeds) {
        const study = studied({ regimes: { one: {}, two: {} }, requests: 8, seed });
        if (compareBy(study, measures.latency).some(isShown)) wrong.push(seed);
        // The test runner takes a worker that says nothing for a minute for dead.
        await setImmediate();
      }
      // 1.2 expected at a level of 5 % for the whole family; 5 or more come by chance in 1 of 150 cases.
      expect(wrong.length).toBeLessThan(5);
    },
    SLOW,
  );

  it(
    'says that too few repeats can show nothing',
    () => {
      const study = studied({
        regimes: { cold: { coldShare: 1, coldMs: 5_000 }, warm: { replicas: 2 } },
        repeats: 2,
        requests: 5,
      });
      const [latency] = createEffectFindings('local', compareAll(study));
      expect(latency).toMatchObject({ supported: false, sentences: [expect.stringContaining('no test could show one')] });
    },
    SLOW,
  );
});
