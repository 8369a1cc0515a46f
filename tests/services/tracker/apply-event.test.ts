import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEvent, type Effect, type Runs } from '../../../services/tracker/apply-event.ts';
import { createHistory } from '../../../services/tracker/catch-up.ts';
import { forgetExpired } from '../../../services/tracker/retention.ts';
import { expiredRuns } from '../../../services/tracker/timeouts.ts';
import type { ItemEvent, RequestState } from '../../../schemas/generated/types.ts';
import { readConfig } from '../../../shared/config/config.ts';
import type { RequestEvent } from '../../../shared/bus/request-events.ts';
import { REQUESTS_MAX_AGE_MS } from '../../../shared/bus/topology.ts';
import { isFinished } from '../../../shared/requests/run-state.ts';
import { accepted, graph, randomRun, type ReportedEvent } from '../../shared/requests/random-run.ts';

const TIME = '2026-01-01T00:00:00.000Z';

const lifecycle = (name: string, data: Partial<RequestState> = {}): RequestEvent => ({
  type: 'lifecycle',
  name,
  time: TIME,
  data: { ...accepted, ...data },
});

const toRequestEvent = (event: ReportedEvent): RequestEvent =>
  event.type === 'settled' ? { type: 'item', time: event.time, data: event.data } : lifecycle(event.type, event.data);

/** Events of a run in random order. */
const shuffledEvents = randomRun({ late: true }).chain(({ events: reported }) =>
  fc.shuffledSubarray([...reported], { minLength: reported.length }).map((events) => events.map(toRequestEvent)),
);

function applyAll(runs: Runs, events: readonly RequestEvent[], firstSequence = 1): Effect[][] {
  return events.map((event, n) => applyEvent(runs, event, { sequence: firstSequence + n, storedAtMs: 0 }, graph));
}

const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type).sort();

describe('applyEvent', () => {
  it('closes a run exactly when it is finished', () => {
    fc.assert(
      fc.property(shuffledEvents, (events) => {
        const runs: Runs = new Map();
        for (const [n, event] of events.entries()) {
          const effects = applyEvent(runs, event, { sequence: n + 1, storedAtMs: 0 }, graph);
          const run = runs.get('r')!;
          if (run.phase === 'ended') throw new Error('the run must not end without a terminal event');
          const finished = run.phase !== 'unaccepted' && isFinished(run.state);
          expect(effects.some(({ type }) => type === 'close-run')).toBe(finished);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('counts items and does nothing else after the terminal event of a run', () => {
    fc.assert(
      fc.property(shuffledEvents, fc.constantFrom('completed', 'failed', 'cancelled'), fc.nat(), (events, name, position) => {
        const runs: Runs = new Map();
        const split = position % (events.length + 1);
        applyAll(runs, events.slice(0, split));
        applyAll(runs, [lifecycle(name, { status: 'completed' })]);
        const late = applyAll(runs, events.slice(split)).flat();
        expect(runs.get('r')).toEqual({ phase: 'ended', number: 1, endedAtMs: 0, early: new Map() });
        expect(late.every(({ type }) => type === 'count-item')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('requires the same effects after a restart as without one', () => {
    fc.assert(
      fc.property(shuffledEvents, (events) => {
        const [live, restarted]: [Runs, Runs] = [new Map(), new Map()];
        const lastEffects = applyAll(live, events).at(-1)!;
        const history = createHistory();
        for (const effects of applyAll(restarted, events)) history.add(effects);
        expect(restarted).toEqual(live);
        const closes = (effects: readonly Effect[]): boolean => typesOf(effects).includes('close-run');
        expect(closes(history.effectsOf(restarted))).toBe(closes(lastEffects));
      }),
      { numRuns: 100 },
    );
  });

  it('is not misled by a stage that reports false runs, items and outputs', () => {
    const forged = fc.record({
      run: fc.oneof(fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }), fc.constant(1)),
      item: fc.constantFrom('invented', 'input', 'clip_9999'),
      kind: fc.constantFrom('input', 'audio', 'cut', 'speech', 'words', 'unknown'),
    });
    const forgedEvent = ({ run, item, kind }: typeof forged extends fc.Arbitrary<infer T> ? T : never): RequestEvent => {
      const outputs = [{ kind, item: 'invented', key: `cut/${kind}`, etag: 'e' }];
      const figures = { deliveries: 1, duration_ms: 1, queue_ms: 0, cold_start: false, cost_unit: 0 };
      const data = { request_id: 'r', run, stage: 'cut', item, outcome: 'done' as const, outputs, ...figures };
      return { type: 'item', time: TIME, data };
    };
    fc.assert(
      fc.property(shuffledEvents, fc.array(forged, { maxLength: 20 }), fc.nat(), (events, lies, position) => {
        const runs: Runs = new Map();
        const split = position % (events.length + 1);
        applyAll(runs, [...events.slice(0, split), ...lies.map(forgedEvent), ...events.slice(split)]);
        expect(runs.get('r')).toMatchObject({ phase: 'open', state: { run: 1, open: 0 } });
      }),
      { numRuns: 200 },
    );
  });

  it('applies item events of a run that precede its accepted event', () => {
    const outputs = [{ kind: 'audio', item: 'audio', key: 'probe/audio.wav', etag: 'e' }];
    const figures = { deliveries: 1, duration_ms: 1, queue_ms: 0, cold_start: false, cost_unit: 0 };
    const data = { request_id: 'r', run: 2, stage: 'probe', item: 'input', outcome: 'done' as const, outputs, ...figures };
    const runs: Runs = new Map();
    applyAll(runs, [lifecycle('accepted'), { type: 'item', time: TIME, data }, lifecycle('completed')]);
    const [effects] = applyAll(runs, [lifecycle('accepted', { run: 2 })], 4);
    expect(typesOf(effects!)).toEqual(['count-request', 'write-state']);
    // The item is settled, and its output is listed for the next stage.
    expect(runs.get('r')).toMatchObject({ phase: 'open', state: { run: 2, open: 1 } });
  });

  it('counts a request once when its accepted event is repeated', () => {
    const effects = applyAll(new Map(), [lifecycle('accepted'), lifecycle('accepted')]);
    expect(effects.map(typesOf)).toEqual([['count-request', 'write-state'], ['write-state']]);
  });

  it('replaces an ended run by a later one and ignores events of the earlier run', () => {
    const runs: Runs = new Map();
    applyAll(runs, [lifecycle('accepted'), lifecycle('completed'), lifecycle('accepted', { run: 2 })]);
    expect(runs.get('r')).toMatchObject({ phase: 'open', state: { run: 2 }, lastSequence: 3 });
    expect(applyAll(runs, [lifecycle('accepted')], 4).flat()).toEqual([]);
    expect(runs.get('r')).toMatchObject({ phase: 'open', state: { run: 2 }, lastSequence: 4 });
  });

  it('remembers the sequence of every lifecycle event of an open run', () => {
    const runs: Runs = new Map();
    applyAll(runs, [lifecycle('accepted'), lifecycle('rejected')]);
    expect(runs.get('r')).toMatchObject({ phase: 'open', lastSequence: 2 });
  });

  it('writes the state of a cancelled run with its progress', () => {
    const errors = [{ code: 'cancelled', message: 'cancelled by a user', file: '' }];
    const [, effects] = applyAll(new Map(), [lifecycle('accepted'), lifecycle('cancelled', { errors })]);
    expect(effects).toMatchObject([
      { type: 'count-request', status: 'cancelled' },
      { type: 'write-state', requestId: 'r', state: { status: 'cancelled', finished_at: TIME, errors, outputs: { input: 1 } } },
    ]);
  });

  it('writes the state of a rejected request only if the request has no run', () => {
    const rejected = lifecycle('rejected', { status: 'rejected' });
    expect(applyAll(new Map(), [rejected])).toMatchObject([[{ type: 'write-state', requestId: 'r', state: rejected.data }]]);
    expect(applyAll(new Map(), [lifecycle('accepted'), rejected])[1]).toEqual([]);
    expect(applyAll(new Map(), [lifecycle('accepted'), lifecycle('failed'), rejected])[2]).toEqual([]);
  });

  it('lists all refused uploads in the state until the request is accepted', () => {
    const refusal = (status: 'ignored' | 'rejected', file: string): RequestEvent =>
      lifecycle(status, {
        status,
        errors: [{ code: 'not-media', message: file, file }],
        refused: [{ kind: 'input', item: 'input', key: `input/${file}`, etag: file }],
      });
    const runs: Runs = new Map();
    const effects = applyAll(runs, [refusal('ignored', 'a'), refusal('rejected', 'b'), refusal('ignored', 'c')]);
    expect(effects.flat().map((effect) => effect.type === 'write-state' && effect.state)).toMatchObject([
      { status: 'ignored', refused: [{ etag: 'a' }] },
      { status: 'rejected', refused: [{ etag: 'a' }, { etag: 'b' }] },
      { status: 'rejected', errors: [{ file: 'a' }, { file: 'b' }, { file: 'c' }] },
    ]);
    expect(applyAll(runs, [lifecycle('accepted')], 4)[0]).toContainEqual({ type: 'write-state', requestId: 'r' });
    expect(runs.get('r')).toMatchObject({ phase: 'open', state: { run: 1 } });
    expect(applyAll(runs, [refusal('ignored', 'd')], 5).flat()).toEqual([]);
  });
});

describe('createHistory', () => {
  const cancelled = lifecycle('cancelled');
  const rejected = lifecycle('rejected', { status: 'rejected' });
  const replayed = lifecycle('accepted', { run: 2 });

  it.each<[string, RequestEvent[], Partial<RequestState> | undefined, string[]]>([
    ['writes a cancelled state that is missing', [cancelled], undefined, ['cancelled']],
    ['writes a cancelled state over a running one', [cancelled], { status: 'running' }, ['cancelled']],
    ['keeps the state of a later run', [cancelled], { status: 'running', run: 2 }, []],
    ['keeps a cancelled state that was written', [cancelled], { status: 'cancelled' }, []],
    ['drops the state of a cancelled run that was replayed', [cancelled, replayed], undefined, []],
    ['writes a rejected state that is missing', [rejected], undefined, ['rejected']],
    ['keeps an existing state when it reads a rejection', [rejected], { status: 'running' }, []],
  ])('%s', async (_, events, written, expected) => {
    const history = createHistory();
    for (const effects of applyAll(new Map(), events)) history.add(effects);
    const text = JSON.stringify({ ...accepted, ...written });
    const getText = () => Promise.resolve(written && { text, etag: 'e' });
    const effects = await history.outdatedStates({ getText });
    expect(effects.map((effect) => effect.type === 'write-state' && effect.state?.status)).toEqual(expected);
  });
});

describe('forgetExpired', () => {
  it('removes runs that ended before the oldest event of the stream', () => {
    const runs: Runs = new Map();
    applyAll(runs, [lifecycle('accepted', { request_id: 'open' }), lifecycle('completed', { request_id: 'ended' })]);
    forgetExpired(runs, REQUESTS_MAX_AGE_MS);
    expect([...runs.keys()].sort()).toEqual(['ended', 'open']);
    forgetExpired(runs, REQUESTS_MAX_AGE_MS + 1);
    expect([...runs.keys()]).toEqual(['open']);
  });
});

describe('expiredRuns', () => {
  const startMs = Date.parse(accepted.accepted_at!);
  const short = lifecycle('accepted', { options: { timeout: 10 } });

  const { limits } = readConfig({ FAVE_MAX_REQUEST_MB: '1', FAVE_MAX_REQUEST_WORK_SECONDS: '10' });

  function expiredAfter(seconds: number, events: readonly RequestEvent[], runs: Runs = new Map(), overrides = {}) {
    applyAll(runs, events);
    return expiredRuns(runs, { graph, limits: { ...limits, ...overrides }, nowMs: startMs + seconds * 1_000 });
  }

  const settled = (figures: Partial<ItemEvent>): RequestEvent => ({
    type: 'item',
    time: TIME,
    data: {
      ...{ request_id: 'r', run: 1, stage: 'probe', item: 'input', outcome: 'done', deliveries: 1 },
      ...{ duration_ms: 0, queue_ms: 0, cold_start: false, cost_unit: 0 },
      outputs: [{ kind: 'audio', item: 'audio', key: 'probe/audio.wav', etag: 'e' }],
      ...figures,
    },
  });

  it('returns a run after its timeout', () => {
    expect(expiredAfter(9.9, [short])).toEqual([]);
    expect(expiredAfter(10, [short])).toMatchObject([{ error: { code: 'request-timeout', file: 'input/a.mp4' } }]);
  });

  it('applies the limit of the operator to the timeout', () => {
    expect(expiredAfter(5, [lifecycle('accepted')], undefined, { timeoutSeconds: 6 })).toEqual([]);
    expect(expiredAfter(6, [lifecycle('accepted')], undefined, { timeoutSeconds: 6 })).toMatchObject([
      { error: { code: 'request-timeout' } },
    ]);
  });

  it.each([
    [{ output_bytes: 1e6, duration_ms: 10_000 }, []],
    [{ output_bytes: 1e6 + 1 }, [{ error: { code: 'too-much-output', file: 'input/a.mp4' } }]],
    [{ duration_ms: 10_001 }, [{ error: { code: 'too-much-work', file: 'input/a.mp4' } }]],
  ])('applies the limits of a request to %o', (figures, expected) => {
    expect(expiredAfter(0, [lifecycle('accepted'), settled(figures)])).toMatchObject(expected);
  });

  it('returns a run once', () => {
    const runs: Runs = new Map();
    for (const { run, error } of expiredAfter(10, [short], runs)) run.timedOut = error;
    expect(expiredAfter(20, [], runs)).toEqual([]);
  });

  it('applies the default of a day', () => {
    expect(expiredAfter(86_399, [lifecycle('accepted')])).toEqual([]);
    expect(expiredAfter(86_400, [lifecycle('accepted')])).toHaveLength(1);
  });

  it('ignores ended runs and runs without an accepted event', () => {
    expect(expiredAfter(1e6, [short, lifecycle('completed')])).toEqual([]);
    expect(expiredAfter(1e6, [lifecycle('redriven', { redriven: [] })])).toEqual([]);
  });
});
