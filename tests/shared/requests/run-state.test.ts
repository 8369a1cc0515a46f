import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isFinished,
  createRunState,
  reduceAccepted,
  reduceProgress,
  reduceRedriven,
  summarise,
  type RunState,
} from '../../../shared/requests/run-state.ts';
import { validate } from '../../../shared/core/validate.ts';
import { accepted, graph, randomRun, type RandomRun, type ReportedEvent } from './random-run.ts';

function applyEvent(state: RunState, events: ReportedEvent): void {
  if (events.type === 'accepted') reduceAccepted(state, events.data, graph);
  else if (events.type === 'redriven') reduceRedriven(state, events.data.redriven, graph);
  else reduceProgress(state, events.data, events.time, graph);
}

function reduced(events: readonly ReportedEvent[]): RunState {
  const state = createRunState('r', 1);
  for (const event of events) applyEvent(state, event);
  return state;
}

/** A run with its events in random order, some of them repeated. */
const shuffled = (run: fc.Arbitrary<RandomRun>) =>
  run.chain(({ events, items }) =>
    fc.record({
      events: fc.constant(events),
      items: fc.constant(items),
      mixed: fc
        .tuple(
          fc.shuffledSubarray([...events], { minLength: events.length }),
          fc.array(fc.constantFrom(...events), { maxLength: 10 }),
        )
        .chain(([all, again]) => fc.shuffledSubarray([...all, ...again], { minLength: all.length + again.length })),
    }),
  );

/** Sorts the only part of a summary that follows the order of arrival: the names of kinds. */
const summary = (events: readonly ReportedEvent[]) =>
  JSON.parse(
    JSON.stringify(summarise(reduced(events), graph), (_, value: unknown) =>
      typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value,
    ),
  ) as unknown;

describe('reduceEvent', () => {
  it('gives the same state for any order and number of repetitions', () => {
    fc.assert(
      fc.property(shuffled(randomRun({ late: true })), ({ events, mixed }) => {
        expect(summary(mixed)).toEqual(summary(events));
      }),
      { numRuns: 300 },
    );
  });

  it('gives every item the outcome that counts', () => {
    fc.assert(
      fc.property(shuffled(randomRun({ late: true })), ({ mixed, items }) => {
        const { stages = {}, status } = summarise(reduced(mixed), graph);
        for (const { name } of graph.stages) {
          const outcomes = [...items].filter(([id]) => id.startsWith(`${name}/`)).map(([, outcome]) => outcome);
          const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
          expect(stages[name]).toMatchObject({
            expected: outcomes.length,
            done: count('done'),
            reused: count('reused'),
            skipped: count('skipped'),
            failed: count('failed'),
            complete: true,
          });
        }
        const usable = [...items].some(([id, outcome]) => /^(listen|look)\//.test(id) && outcome !== 'failed');
        expect(status).toBe(usable ? 'completed' : 'failed');
      }),
      { numRuns: 300 },
    );
  });

  it('finishes the run when all items are settled, and never before', () => {
    fc.assert(
      fc.property(shuffled(randomRun({ late: false })), ({ mixed, items }) => {
        const state = createRunState('r', 1);
        const seen = new Set<string>();
        for (const event of mixed) {
          applyEvent(state, event);
          seen.add(event.type === 'settled' ? `${event.data.stage}/${event.data.item}` : event.type);
          expect(isFinished(state)).toBe(seen.size === items.size + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives a valid state after every event', () => {
    fc.assert(
      fc.property(shuffled(randomRun({ late: true })), ({ mixed }) => {
        const state = createRunState('r', 1);
        for (const event of mixed) {
          applyEvent(state, event);
          validate('requestState', JSON.parse(JSON.stringify(summarise(state, graph))));
        }
      }),
      { numRuns: 50 },
    );
  });
});

const done = (stage: string, item: string, outputs: [string, string][] = [], overrides: object = {}): ReportedEvent => ({
  type: 'settled',
  time: '2026-01-01T00:00:05.000Z',
  data: {
    request_id: 'r',
    run: 1,
    stage,
    item,
    outcome: 'done',
    deliveries: 1,
    duration_ms: 10,
    queue_ms: 1,
    cold_start: false,
    cost_unit: 0.1,
    outputs: outputs.map(([kind, of]) => ({ kind, item: of, key: `${stage}/${of}/${kind}`, etag: 'e' })),
    ...overrides,
  },
});
const failed = (stage: string, item: string, sequence = 1) =>
  done(stage, item, [], { outcome: 'failed', sequence, error: { code: 'bad', message: 'it is bad', file: item } });

describe('a run', () => {
  const start: ReportedEvent = { type: 'accepted', data: accepted };

  it('is not finished before its accepted event', () => {
    expect(isFinished(reduced([done('probe', 'input')]))).toBe(false);
  });

  it('fails when its first item fails', () => {
    const state = summarise(reduced([start, failed('probe', 'input')]), graph);
    expect(state).toMatchObject({
      status: 'failed',
      errors: [{ stage: 'probe', item: 'input', code: 'bad', message: 'it is bad', file: 'input' }],
      finished_at: '2026-01-01T00:00:05.000Z',
      duration_ms: 5_000,
    });
  });

  it('is failed without a usable result, even if no item failed', () => {
    expect(summarise(reduced([start, done('probe', 'input')]), graph)).toMatchObject({ status: 'failed', errors: [] });
  });

  it('completes with errors when one branch of a clip fails', () => {
    const clip = 'clip_0001';
    const events = [
      start,
      done('probe', 'input', [['audio', 'audio']]),
      done('cut', 'audio', [['cut', clip]]),
      done('split', clip, [
        ['speech', clip],
        ['video', clip],
      ]),
      failed('listen', clip),
    ];
    expect(summarise(reduced(events), graph)).toMatchObject({
      status: 'running',
      stages: { split: { complete: true }, listen: { complete: true, failed: 1 }, look: { complete: false, expected: 1 } },
    });
    expect(summarise(reduced([...events, done('look', clip, [['things', clip]])]), graph)).toMatchObject({
      status: 'completed',
      errors: [{ stage: 'listen', item: clip }],
      outputs: { things: 1 },
    });
  });

  it('continues while a redriven item runs, and drops its failure', () => {
    const clip = 'clip_0001';
    const begun = [
      start,
      done('probe', 'input', [['audio', 'audio']]),
      done('cut', 'audio', [['cut', clip]]),
      done('split', clip, [['speech', clip]]),
    ];
    const first = failed('listen', clip, 7);
    const again: ReportedEvent = {
      type: 'redriven',
      data: { ...accepted, redriven: [{ stage: 'listen', item: clip, sequence: 7 }] },
    };
    expect(isFinished(reduced([...begun, first]))).toBe(true);
    for (const events of [
      [...begun, first, again],
      [again, first, ...begun],
      [...begun, again, first, again, first],
    ])
      expect(summarise(reduced(events), graph)).toMatchObject({
        status: 'running',
        errors: [],
        stages: { listen: { expected: 1 } },
      });
    const [well, badly] = [done('listen', clip, [['words', clip]]), failed('listen', clip, 8)];
    for (const end of [
      [first, again, well],
      [again, well, first],
      [well, first, again],
    ])
      expect(summarise(reduced([...begun, ...end]), graph)).toMatchObject({ status: 'completed', errors: [] });
    expect(summarise(reduced([...begun, badly, again, first]), graph)).toMatchObject({
      status: 'failed',
      errors: [{ stage: 'listen', item: clip }],
      stages: { listen: { expected: 1, failed: 1 } },
    });
  });

  it('lists the first hundred errors', () => {
    const clips = Array.from({ length: 150 }, (_, n) => `clip_${String(n + 1).padStart(4, '0')}`);
    const events = [
      start,
      done('probe', 'input', [['audio', 'audio']]),
      done(
        'cut',
        'audio',
        clips.map((clip) => ['cut', clip]),
      ),
      ...clips.map((clip) => failed('split', clip)).reverse(),
    ];
    const { errors = [], stages = {} } = summarise(reduced(events), graph);
    expect(errors.map(({ item }) => item)).toEqual(clips.slice(0, 100));
    expect(stages['split']).toMatchObject({ failed: 150 });
  });

  it('lists errors of 256 KB at most', () => {
    const clips = Array.from({ length: 100 }, (_, n) => `clip_${String(n + 1).padStart(4, '0')}`);
    const outputs = clips.map((clip): [string, string] => ['cut', clip]);
    const begun = [start, done('probe', 'input', [['audio', 'audio']]), done('cut', 'audio', outputs)];
    const forged = clips.map((clip): ReportedEvent => {
      const event = failed('split', clip);
      if (event.type !== 'settled') throw new Error('unexpected event');
      return { ...event, data: { ...event.data, error: { code: 'c', message: 'm', file: 'f', stderr: '\u0001'.repeat(3_000) } } };
    });
    const { errors = [] } = summarise(reduced([...begun, ...forged]), graph);
    expect(errors.length).toBeGreaterThan(10);
    expect(Buffer.byteLength(JSON.stringify(errors))).toBeLessThanOrEqual(257 * 1024);
  });

  it('sums the work and the outputs of settled items, each once', () => {
    const events = [
      start,
      done('probe', 'input', [['audio', 'audio']], { duration_ms: 100.5, output_bytes: 1_000 }),
      failed('cut', 'audio'),
      done('cut', 'audio', [], { duration_ms: 7, output_bytes: 20 }),
      done('cut', 'invented', [], { duration_ms: 1e9, output_bytes: 1e9 }),
    ];
    for (const order of [events, [...events, ...events].reverse()])
      expect(reduced(order)).toMatchObject({ workMs: 108, outputBytes: 1_020 });
  });

  it('sums time, cost and cold starts per stage', () => {
    const events = [
      start,
      done('probe', 'input', [['audio', 'audio']], { cold_start: true, duration_ms: 100.5, cost_unit: 0.3 }),
      done('cut', 'audio', [], { cost_unit: 0.1 }),
    ];
    expect(summarise(reduced(events), graph)).toMatchObject({
      cost_unit: 0.4,
      cold_starts: 1,
      stages: { probe: { duration_ms: 100.5, cold_starts: 1 }, cut: { cold_starts: 0 } },
    });
  });
});

it('takes constant time per event for any number of clips', () => {
  const visits = (clips: number): number => {
    const state = createRunState('r', 1);
    applyEvent(state, { type: 'accepted', data: accepted });
    const names = Array.from({ length: clips }, (_, n) => `clip_${String(n + 1).padStart(4, '0')}`);
    applyEvent(
      state,
      done(
        'cut',
        'audio',
        names.map((clip) => ['cut', clip]),
      ),
    );
    let count = 0;
    const counting = <T extends Map<string, unknown>>(map: T): T =>
      new Proxy(map, {
        get: (target, name) => (
          (count += 1),
          typeof target[name as keyof T] === 'function'
            ? (target[name as keyof T] as () => unknown).bind(target)
            : target[name as keyof T]
        ),
      });
    const counted: RunState = { ...state, stages: counting(state.stages), outputs: counting(state.outputs) };
    applyEvent(counted, done('split', 'clip_0001', [['speech', 'clip_0001']]));
    return count;
  };
  expect(visits(2_000)).toBe(visits(2));
});
