import { describe, expect, it } from 'vitest';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { createReport, type Findings } from './report.ts';
import { randomOf } from '../../../shared/core/random.ts';
import { planFaults, type Planned } from './schedule.ts';

const end = (id: string, more: Partial<RequestState> = {}): RequestState => ({
  request_id: id,
  run: 1,
  status: 'completed',
  ...more,
});
const tree = new Map([
  ['input/a.mp4', 'one'],
  ['stage-x/a.json', 'two'],
]);

/** Findings of one successful request, with overrides. */
const findings = (more: Partial<Findings> = {}): Findings => ({
  seed: 1,
  minutes: 1,
  faults: [],
  notInjected: [],
  sent: [{ id: 'r', video: 'a.mp4', memo: false }],
  endings: [{ id: 'r', accepted: true, ends: [end('r')] }],
  trees: new Map([['r', tree]]),
  expected: new Map([['a.mp4', tree]]),
  directories: [],
  processes: [],
  ...more,
});

describe('createReport', () => {
  it('reports success if all guarantees hold', () => {
    expect(createReport(findings())).toMatchObject({
      broken: [],
      requests: { in: 1, completed: 1, failed: 0, lost: 0, hanging: 0 },
      artifacts: { compared: 2, different: 0 },
    });
  });

  const ending = (accepted: boolean, ends: RequestState[]): Partial<Findings> => ({ endings: [{ id: 'r', accepted, ends }] });
  const left = (entries: [string, string][]): Partial<Findings> => ({ trees: new Map([['r', new Map(entries)]]) });
  it.each<[string, Partial<Findings>, string]>([
    ['a request that nobody took up', ending(false, []), 'r was uploaded and never accepted'],
    ['a request without an end', ending(true, []), 'r was accepted and never ended'],
    ['a run that ended twice', ending(true, [end('r'), end('r')]), 'r ended 2 times'],
    [
      'a healthy request that failed',
      ending(true, [end('r', { status: 'failed' })]),
      'r failed, though nothing is wrong with it',
    ],
    [
      'an item that was given up',
      ending(true, [end('r', { errors: [{ stage: 's', item: 'i', code: 'c', message: 'm', file: 'f' }] })]),
      'r: s gave up on f (c: m)',
    ],
    ['an artifact that is missing', left([['input/a.mp4', 'one']]), 'r: stage-x/a.json is missing'],
    [
      'an artifact with other bytes',
      left([
        ['input/a.mp4', 'one'],
        ['stage-x/a.json', 'torn'],
      ]),
      'r: stage-x/a.json has other bytes',
    ],
    ['an artifact too many', left([...tree, ['stage-x/b.json', 'b']]), 'r: stage-x/b.json should not be there'],
    ['a directory that was left', { directories: ['fave-x'] }, 'the temporary directory fave-x was left'],
    ['a process that was left', { processes: ['1 ffmpeg'] }, 'the process 1 ffmpeg was left'],
  ])('finds %s', (_, more, sentence) => {
    expect(createReport(findings(more)).broken).toEqual([sentence]);
  });
});

describe('planFaults', () => {
  const first = (seed: number) => {
    const planned = planFaults(seed, ['a', 'b', 'c'], [1, 2]);
    return Array.from({ length: 6 }, () => planned.next().value as Planned);
  };

  it('returns equal schedules for equal seeds and different ones for different seeds', () => {
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it('contains each fault once per round and respects the gap', () => {
    const names = first(3).map(({ fault }) => fault);
    expect([names.slice(0, 3).sort(), names.slice(3).sort()]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect(first(3).every(({ after }) => after >= 1 && after < 2)).toBe(true);
  });
});

it('shuffles a list without loss', () => {
  const list = Array.from({ length: 50 }, (_, n) => n);
  expect(new Set(randomOf(5).shuffled(list))).toEqual(new Set(list));
  expect(randomOf(5).shuffled(list)).toHaveLength(50);
});
