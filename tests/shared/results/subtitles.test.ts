import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCues } from '../../../shared/results/cues.ts';
import { hasSeveralSpeakers } from '../../../shared/results/speakers.ts';
import { toSrt, toVtt } from '../../../shared/results/subtitles.ts';
import type { TimelineUtterance } from '../../../shared/results/timeline.ts';
import { countColumns } from '../../../shared/core/text.ts';
import type { Transcript } from '../../../schemas/generated/types.ts';
import { findMedia, NO_MEDIA, writeMedia } from '../../support/media.ts';

/** Creates an utterance from its words, each with its start and end. */
function said(words: readonly (readonly [number, number, string])[], speaker?: string): TimelineUtterance {
  const timed = words.map(([start, end, text]) => ({ start, end, text }));
  const text = timed.map((word) => word.text).join(' ');
  return { start: timed[0]?.start ?? 0, end: timed.at(-1)?.end ?? 0, text, words: timed, ...(speaker && { speaker }) };
}

/** Creates an utterance whose words are spoken evenly. */
function evenly(text: string, start: number, end: number, speaker?: string): TimelineUtterance {
  return { start, end, text, words: [], ...(speaker && { speaker }) };
}

const linesOf = (utterances: readonly TimelineUtterance[]): string[] => toCues(utterances).map(({ lines }) => lines.join(' | '));

/** Words, pauses and speakers of any length. */
const utterances = fc
  .array(
    fc.record({
      words: fc.array(
        fc.record({
          text: fc.oneof(
            fc.stringMatching(/^[a-z']{1,14}[,.?]?$/),
            fc.stringMatching(/^[\u4e00-\u4fff]{1,60}[。、]?$/u),
            fc.stringMatching(/^[\u05d0-\u05ea]{1,12}$/),
            fc.constantFrom('x'.repeat(100), 'a<b', '<i>', '&amp;', '-->', '{\\an8}', '1', 'two words', 'a\n\nb'),
          ),
          lasts: fc.double({ min: 0, max: 9, noNaN: true }),
          pause: fc.double({ min: -0.1, max: 3, noNaN: true }),
        }),
        { maxLength: 40 },
      ),
      speaker: fc.constantFrom(undefined, 'speaker 1', 'speaker 2'),
    }),
    { maxLength: 4 },
  )
  .map((parts) => {
    let at = 0;
    return parts.map(({ words, speaker }) =>
      said(
        words.map(({ text, lasts, pause }) => {
          const start = Math.max(0, at + pause);
          at = start + lasts;
          return [start, at, text] as const;
        }),
        speaker,
      ),
    );
  });

const withoutSpaces = (text: string): string => text.replace(/\s/g, '');

describe('toCues', () => {
  it('keeps all text in order within the limits of a cue', () => {
    fc.assert(
      fc.property(utterances, (all) => {
        const cues = toCues(all);
        let reached = 0;
        for (const { start, end, lines } of cues) {
          expect(start).toBeGreaterThanOrEqual(reached);
          expect(end).toBeGreaterThan(start);
          expect(end - start).toBeLessThanOrEqual(7 + 1e-9);
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          reached = end;
        }
        expect(withoutSpaces(cues.flatMap(({ lines }) => lines).join(''))).toBe(
          withoutSpaces(all.map(({ text }) => text).join('')),
        );
      }),
    );
  });

  it('shows a cue for a second and as long as reading takes, where the pause after it allows it', () => {
    fc.assert(
      fc.property(utterances, (all) => {
        const cues = toCues(all);
        cues.forEach(({ start, end, lines }, n) => {
          const next = cues[n + 1]?.start ?? Infinity;
          const wanted = Math.max(1, lines.join(' ').length / 20);
          expect(end - start).toBeGreaterThanOrEqual(Math.min(wanted, next - start) - 1e-9);
        });
      }),
    );
  });

  it('breaks at the ends of sentences and clauses', () => {
    const text =
      'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country. He was not an ill-disposed young man.';
    expect(linesOf([evenly(text, 0, 14)])).toEqual([
      'And so, my fellow Americans, | ask not what your country can do for you,',
      'ask what you can do for your country.',
      'He was not an ill-disposed young man.',
    ]);
  });

  it('does not take an abbreviation for the end of a sentence', () => {
    const text = 'It was to be decided before the evening by Mr. John Dashwood, who had leisure to consider it.';
    expect(linesOf([evenly(text, 0, 6)])[0]).not.toMatch(/Mr\.$/);
  });

  it('balances two lines and leaves no single word in a cue', () => {
    const text = 'nobody would expect that this sentence has exactly enough words for one cue and a half of another';
    for (const { lines } of toCues([evenly(text, 0, 8)])) {
      expect(lines.join(' ').split(' ').length).toBeGreaterThan(3);
      if (lines.length === 2) expect(Math.abs(lines[0]!.length - lines[1]!.length)).toBeLessThan(12);
    }
  });

  it('ends a cue at a long pause and at a change of the speaker', () => {
    const pause = [evenly('one two', 0, 1), evenly('three four', 2.5, 3)];
    expect(linesOf(pause)).toEqual(['one two', 'three four']);
    const change = [evenly('one two', 0, 1, 'speaker 1'), evenly('three four', 1, 2, 'speaker 2')];
    expect(toCues(change).map(({ speaker }) => speaker)).toEqual(['speaker 1', 'speaker 2']);
  });

  it('joins short utterances of one speaker', () => {
    expect(linesOf([evenly('Yes.', 0, 0.4), evenly('I see.', 0.6, 1)])).toEqual(['Yes. I see.']);
  });

  it('does not extend the last cue beyond the end of the input', () => {
    expect(toCues([evenly('hello', 9, 9.3)], 9.5)).toEqual([{ start: 9, end: 9.5, lines: ['hello'] }]);
    expect(toCues([evenly('hello', 9, 9.3)])[0]?.end).toBe(10);
  });

  it('wraps Chinese by words of full-width characters and keeps punctuation with the word before it', () => {
    const text =
      '我们认为这些真理是不言而喻的，人人生而平等，造物主赋予他们若干不可剥夺的权利，其中包括生命权、自由权和追求幸福的权利。';
    expect(linesOf([evenly(text, 0, 15)])).toEqual([
      '我们认为这些真理是不言而喻的， | 人人生而平等，',
      '造物主赋予他们若干不可剥夺的权利，',
      '其中包括生命权、自由权和追求幸福的权利。',
    ]);
    const characters = said(['人人', '生', '而', '平等'].map((text, n) => [n / 5, n / 5 + 0.2, text] as const));
    expect(linesOf([{ ...characters, text: '人人生而平等' }])).toEqual(['人人生而平等']);
  });

  it.for(['reports/zh-transcript.json'])('breaks the sentence of %s between words', (name, { skip }) => {
    const path = findMedia(name);
    if (path === undefined) return skip(NO_MEDIA);
    const { utterances } = JSON.parse(readFileSync(path, 'utf8')) as Transcript;
    const lines = toCues(utterances).flatMap((cue) => cue.lines);
    expect(lines.join('')).toBe(utterances[0]?.text);
    expect(Math.max(...lines.map(countColumns))).toBeLessThanOrEqual(42);
  });

  it.each([
    ['Hindi', 'उसने दान दो', 10],
    ['decomposed letters', 'cafe\u0301', 4],
    ['Thai', 'กินข้าวที่นี่', 7],
    ['Japanese', 'スーパー、ｽｰﾊﾟｰ', 15],
    ['Korean', '안녕하세요', 10],
    ['decomposed Korean', '안녕하세요'.normalize('NFD'), 10],
    ['emoji', '👍🏽 👨‍👩‍👧 ❤️', 8],
    ['a letter outside the BMP', '𠮷野家', 6],
    ['direction marks', '\u200fשלום\u200f', 4],
  ])('counts the columns of %s', (_, text, columns) => {
    expect(countColumns(text)).toBe(columns);
  });

  it('keeps the spaces between phrases of Thai and the words of Arabic', () => {
    expect(linesOf([evenly('ทุกคนเกิดมาอิสระ และเสมอภาคกัน', 0, 3)])).toEqual(['ทุกคนเกิดมาอิสระ และเสมอภาคกัน']);
    const arabic = 'يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق، وقد وهبوا عقلاً وضميرًا';
    expect(
      linesOf([evenly(arabic, 0, 6)])
        .join(' ')
        .replaceAll(' |', ''),
    ).toBe(arabic);
  });
});

interface VttParser {
  parse(text: string): {
    errors: readonly { message: string; line: number }[];
    cues: readonly { startTime: number; endTime: number; tree: VttNode }[];
  };
}
interface VttNode {
  readonly type: string;
  readonly name?: string;
  readonly value?: string;
  readonly children?: readonly VttNode[];
}

// The package has no types.
const { WebVTTParser } = createRequire(import.meta.url)('webvtt-parser') as { WebVTTParser: new (entities: object) => VttParser };
const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

const textOf = ({ type, value = '', children = [] }: VttNode): string =>
  type === 'text' ? value : children.map(textOf).join('');

describe('toVtt', () => {
  it('passes the W3C validator with the same cues, text and voices', () => {
    fc.assert(
      fc.property(utterances, (all) => {
        const cues = toCues(hasSeveralSpeakers(all) ? all : all.map(({ speaker: _, ...utterance }) => utterance));
        const { errors, cues: parsed } = new WebVTTParser(entities).parse(toVtt({ utterances: all, duration: null }));
        expect(errors).toEqual([]);
        expect(parsed.map(({ tree }) => textOf(tree).replaceAll('\u200f', ''))).toEqual(
          cues.map(({ lines }) => lines.join('\n')),
        );
        const voices = parsed.map(({ tree: { children: [node] = [] } }) =>
          node?.name === 'v' ? node.value?.toLowerCase() : undefined,
        );
        expect(voices).toEqual(cues.map(({ speaker }) => (hasSeveralSpeakers(all) ? speaker : undefined)));
      }),
    );
  });

  it('marks the lines of right-to-left text, so that players keep their punctuation at the end', () => {
    const lines = (text: string): string[] =>
      [toVtt, toSrt].map(
        (format) =>
          format({ utterances: [evenly(text, 0, 2)], duration: null })
            .trim()
            .split('\n')
            .at(-1) ?? '',
      );
    for (const line of [...lines('שלום, עולם!'), ...lines('iPhone הוא טלפון.')]) expect(line).toMatch(/^\u200f.*[!.]\u200f$/u);
    expect(lines('hello (שלום), world')).toEqual(['hello (שלום), world', 'hello (שלום), world']);
  });

  it('names the speaker as the voice of the cue and escapes reserved characters', () => {
    const utterances = [evenly('a < b & c', 3661.0015, 3662.5, 'speaker 1'), evenly('d', 3663, 3664, 'speaker 2')];
    expect(toVtt({ utterances, duration: null })).toBe(
      'WEBVTT\n\n01:01:01.002 --> 01:01:02.500\n<v Speaker 1>a &lt; b &amp; c\n\n01:01:03.000 --> 01:01:04.000\n<v Speaker 2>d\n',
    );
  });

  it('does not name a single speaker', () => {
    const utterances = [evenly('one', 0, 1, 'speaker 1'), evenly('two', 3, 4, 'speaker 1')];
    expect(toVtt({ utterances, duration: null })).not.toContain('<v');
    expect(toSrt({ utterances, duration: null })).not.toContain('Speaker');
  });

  it('writes only the header without cues', () => {
    expect(toVtt({ utterances: [], duration: null })).toBe('WEBVTT\n');
  });
});

/** Parses SubRip strictly: numbers from 1, times in order, at most two lines, and one empty line between cues. */
function parseSrt(text: string): { start: number; end: number; lines: string[] }[] {
  const seconds = (time: string): number => {
    const [, h, m, s, ms] = /^(\d\d):([0-5]\d):([0-5]\d),(\d{3})$/.exec(time) ?? [];
    return Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(ms) / 1000;
  };
  if (text === '') return [];
  return text
    .replace(/\n$/, '')
    .split('\n\n')
    .map((block, n) => {
      const [number, times = '', ...lines] = block.split('\n');
      expect(number).toBe(String(n + 1));
      const [start = NaN, end = NaN] = times.split(' --> ').map(seconds);
      expect(end).toBeGreaterThan(start);
      expect(lines.length === 1 || lines.length === 2).toBe(true);
      return { start, end, lines };
    });
}

describe('toSrt', () => {
  it('is strictly valid', () => {
    fc.assert(
      fc.property(utterances, (all) => {
        let reached = 0;
        for (const { start, end } of parseSrt(toSrt({ utterances: all, duration: null }))) {
          expect(start).toBeGreaterThanOrEqual(reached);
          reached = end;
        }
      }),
    );
  });

  it('names the speaker where the speaker changes', () => {
    const all = [
      evenly('one two', 0, 1, 'speaker 1'),
      evenly('three four', 3, 4, 'speaker 1'),
      evenly('five six', 5, 6, 'speaker 2'),
    ];
    expect(toSrt({ utterances: all, duration: null })).toBe(
      '1\n00:00:00,000 --> 00:00:01,000\nSpeaker 1: one two\n\n2\n00:00:03,000 --> 00:00:04,000\nthree four\n\n' +
        '3\n00:00:05,000 --> 00:00:06,000\nSpeaker 2: five six\n',
    );
  });

  it('does not let text become a tag', () => {
    const utterances = [evenly('a < b <i>c {\\an8}', 0, 2)];
    expect(toSrt({ utterances, duration: null })).toContain('a < b ‹i>c (\\an8}');
  });
});

describe('subtitles read by ffmpeg', () => {
  it.each([
    ['srt', toSrt],
    ['vtt', toVtt],
  ] as const)('reads the times and the text of %s', (extension, format) => {
    const utterances = [
      evenly('And so, my fellow Americans, ask not what your country can do for you.', 1, 6, 'speaker 1'),
      evenly('人人生而平等。', 8, 9.5, 'speaker 2'),
    ];
    const path = writeMedia(`subtitles.${extension}`, format({ utterances, duration: 10 }));
    const packets = execFileSync('ffprobe', ['-v', 'error', '-show_packets', '-of', 'json', path], { encoding: 'utf8' });
    const { packets: read } = JSON.parse(packets) as { packets: { pts_time: string; duration_time: string }[] };
    expect(read.map(({ pts_time, duration_time }) => [Number(pts_time), Number(duration_time)])).toEqual([
      [1, 5],
      [8, 1.5],
    ]);
    const text = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'srt', '-'], { encoding: 'utf8' });
    expect(text).toContain('my fellow Americans');
    expect(text).toContain('人人生而平等。');
  });
});
