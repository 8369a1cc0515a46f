import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { computeWordErrorRate, scoreResult, type Truth } from '../../bench/accuracy/score.ts';
import type { Result } from '../../shared/results/result.ts';
import { listEntries } from '../../shared/results/timeline.ts';
import { createTempDir } from '../support/temp-dir.ts';

type Spoken = Result['utterances'][number];

const spoken = (start: number, end: number, text: string, speaker?: string): Spoken => ({
  start,
  end,
  text,
  words: [],
  ...(speaker && { speaker }),
});
const seen = (label: string, start: number, end: number): Result['objects'][number] => ({
  label,
  start,
  end,
  score: 0.5,
  count: 1,
});

const truth: Truth = {
  segments: [
    { start: 1, end: 5, text: 'Feed’st thy light’s flame, with self-substantial fuel.', source: 'LibriVox Sonnet I' },
    { start: 8, end: 12, text: 'Ask not what your country can do for you.', source: 'jfk.wav' },
    { start: 15, end: 18, text: 'He was not an ill-disposed young man,', source: 'LibriVox 0880' },
  ],
  scenes: [
    { start: 0, end: 10, objects: ['person'], likely: ['dining table'] },
    { start: 10, end: 20, objects: ['car', 'bottle'] },
  ],
  objects_may: ['tv'],
};

const result = {
  utterances: [
    spoken(1.1, 5, "Feed'st thy lights flame with self substantial fuel", 'speaker 1'),
    spoken(8.35, 12, 'ask not your country can do for you', 'speaker 2'),
    spoken(15.2, 17, 'He was not an ill disposed young man', 'speaker 1'),
    spoken(30, 31, 'Thank you', 'speaker 3'),
  ],
  objects: [seen('person', 0, 10.4), seen('dining table', 2, 4), seen('dog', 3, 11), seen('car', 12, 19), seen('tv', 0, 20)],
};

describe('scoreResult', () => {
  it('computes errors of words, times, speakers and objects', () => {
    expect(scoreResult(result, truth)).toEqual({
      wer: 0.16,
      start_error_s: { median: 0.2, max: 0.35 },
      utterances: 4,
      utterances_where_nobody_speaks: 1,
      invented_utterances: 1,
      utterances_of_wrong_speaker: 0,
      objects: { recall: 0.67, precision: 0.5, wrong: ['dog', 'dog'] },
    });
  });

  it('counts utterances with a name that belongs to another speaker, with a second name, and without one', () => {
    const names = (...speakers: (string | undefined)[]): number => {
      const utterances = speakers.map((speaker, n) => ({ ...result.utterances[n]!, ...(speaker && { speaker }) }));
      return scoreResult({ ...result, utterances }, truth).utterances_of_wrong_speaker;
    };
    expect(names('speaker 1', 'speaker 1', 'speaker 1')).toBe(1);
    expect(names('speaker 1', 'speaker 2', 'speaker 3')).toBe(1);
    expect(scoreResult({ ...result, utterances: [spoken(1, 5, 'text')] }, truth).utterances_of_wrong_speaker).toBe(1);
  });

  it('does not count speech outside the segments as invented', () => {
    const invented = (no_speech: NonNullable<Truth['no_speech']>): number =>
      scoreResult(result, { ...truth, no_speech }).invented_utterances;
    expect([invented([[18.5, 25]]), invented([[18.5, 30.5]])]).toEqual([0, 1]);
  });

  it('scores a result without speech and objects', () => {
    expect(scoreResult({ utterances: [], objects: [] }, truth)).toMatchObject({
      wer: 1,
      start_error_s: { median: 99, max: 99 },
      objects: { recall: 0, precision: 0 },
    });
    expect(scoreResult({ utterances: [], objects: [] }, { segments: [] })).toMatchObject({ wer: 0, start_error_s: null });
  });

  it('returns the figures of the acceptance script', ({ skip }) => {
    const media = resolve(process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../shared/media'));
    const script = join(media, '../acceptance/score.py');
    if (!existsSync(script)) return skip('no acceptance script here; set FAVE_TEST_MEDIA to the folder beside it');
    const dir = createTempDir();
    const write = (name: string, value: object): string => {
      writeFileSync(join(dir, name), JSON.stringify(value));
      return join(dir, name);
    };
    const figures = (of: Pick<Result, 'utterances' | 'objects'>, path: string): object =>
      JSON.parse(
        execFileSync('python3', [script, write('result.json', { ...of, timeline: listEntries(of) }), path], {
          encoding: 'utf8',
        }),
      ) as object;
    const compare = (of: Pick<Result, 'utterances' | 'objects'>, path: string): void => {
      const {
        utterances_of_wrong_speaker: _,
        invented_utterances: __,
        ...score
      } = scoreResult(of, JSON.parse(readFileSync(path, 'utf8')) as Truth);
      expect(score).toEqual(figures(of, path));
    };
    compare(result, write('truth.json', truth));
    const recorded = JSON.parse(readFileSync(join(import.meta.dirname, '../recorded/accuracy/long-5min.json'), 'utf8')) as Result;
    compare(recorded, join(media, 'long-5min.truth.json'));
  });
});

describe('computeWordErrorRate', () => {
  it.each([
    ['a b c', 'a b c', 0],
    ['a b c', 'a c', 1 / 3],
    ['a b', 'a x b y', 1],
    ['', 'a', 1],
  ])('compares "%s" with "%s"', (a, b, rate) => {
    expect(computeWordErrorRate(a, b)).toBe(rate);
  });
});
