import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCues, toSrt, toVtt } from '../../../shared/results/subtitles.ts';
import type { TimelineUtterance } from '../../../shared/results/timeline.ts';

function said(words: readonly (readonly [number, number, string])[]): TimelineUtterance {
  const timed = words.map(([start, end, text]) => ({ start, end, text }));
  return {
    start: timed[0]?.start ?? 0,
    end: timed.at(-1)?.end ?? 0,
    text: timed.map(({ text }) => text).join(' '),
    words: timed,
  };
}

describe('toCues', () => {
  it('fits two lines of 42 characters and seven seconds without losing a word', () => {
    const word = fc.record({
      length: fc.integer({ min: 1, max: 42 }),
      lasts: fc.double({ min: 0.05, max: 2, noNaN: true }),
      pause: fc.double({ min: 0, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (parts) => {
        let at = 0;
        const utterance = said(
          parts.map(({ length, lasts, pause }) => [(at += pause), (at += lasts), 'x'.repeat(length)] as const),
        );
        const cues = toCues([utterance]);
        for (const { start, end, lines } of cues) {
          expect(end - start).toBeLessThanOrEqual(7);
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
        }
        expect(cues.flatMap(({ lines }) => lines).join(' ')).toBe(utterance.text);
      }),
    );
  });

  it('keeps an utterance without words whole and omits an empty one', () => {
    expect(
      toCues([
        { start: 1, end: 2, text: 'hello', words: [] },
        { start: 3, end: 4, text: '', words: [] },
      ]),
    ).toEqual([{ start: 1, end: 2, lines: ['hello'] }]);
  });
});

describe('subtitle formats', () => {
  const cues = [{ start: 3661.0015, end: 3662.5, lines: ['a < b & c'] }];
  it('numbers SubRip cues and writes commas', () => {
    expect(toSrt(cues)).toBe('1\n01:01:01,002 --> 01:01:02,500\na < b & c\n');
  });
  it('escapes reserved characters in WebVTT', () => {
    expect(toVtt(cues)).toBe('WEBVTT\n\n01:01:01.002 --> 01:01:02.500\na &lt; b &amp; c\n');
  });
  it('writes a WebVTT header without cues', () => {
    expect(toVtt([])).toBe('WEBVTT\n');
  });
});
