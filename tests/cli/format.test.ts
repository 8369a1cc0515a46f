import { describe, expect, it } from 'vitest';
import { formatAge, formatBytes, formatClock, formatDuration, formatTable } from '../../cli/output/format.ts';
import { createOutput, toJson, type Output } from '../../cli/context/cli.ts';
import { countColumns, shorten, wrap } from '../../shared/core/text.ts';

describe('format', () => {
  it('formats positions in a video', () => {
    expect([0, 4.25, 59.96, 3723.4].map(formatClock)).toEqual(['0:00.0', '0:04.3', '1:00.0', '1:02:03.4']);
  });
  it('formats durations and ages', () => {
    expect([340, 9_800, 59_960, 185_000, 7_440_000].map(formatDuration)).toEqual([
      '340 ms',
      '9.8 s',
      '1 min 0 s',
      '3 min 5 s',
      '2 h 4 min',
    ]);
    expect([-5, 4_000, 720_000, 10_800_000, 432_000_000].map(formatAge)).toEqual(['0 s', '4 s', '12 min', '3 h', '5 d']);
  });
  it('formats sizes', () => {
    expect([0, 999, 1_400_000, 2e9].map(formatBytes)).toEqual(['0 B', '999 B', '1.4 MB', '2.0 GB']);
  });
  it('wraps and shortens text', () => {
    expect(wrap('one two  three', 8)).toEqual(['one two', 'three']);
    expect(wrap('', 8)).toEqual([]);
    expect(shorten('abcdef', 4)).toBe('abc…');
    expect(shorten('今天我们', 5)).toBe('今天…');
    expect(shorten('👨‍👩‍👧👨‍👩‍👧', 3)).toBe('👨‍👩‍👧…');
    expect(
      wrap('今天我们来谈谈人工智能', 12)
        .map(countColumns)
        .every((columns) => columns <= 12),
    ).toBe(true);
    expect(wrap('今天我们来谈谈人工智能', 12).join('')).toBe('今天我们来谈谈人工智能');
  });
  it('aligns columns', () => {
    expect(
      formatTable([
        ['a', 'x'],
        ['bbb', 'y'],
      ]),
    ).toEqual(['a    x', 'bbb  y']);
    expect(
      formatTable([
        ['今天', 'x'],
        ['cafe\u0301', 'y'],
      ]),
    ).toEqual(['今天  x', 'cafe\u0301  y']);
  });
});

describe('createOutput', () => {
  function written(use: (output: Output) => void, isTTY: boolean): string {
    let text = '';
    use(createOutput({ isTTY, columns: 80, write: (more) => Boolean((text += more)) }, {}));
    return text;
  }
  const hostile = 'a\u001b[2Jb\u009b31mc\u202ed\u2066e\nf';

  it.each([true, false])('replaces controls, C1 and direction marks (terminal: %s)', (isTTY) => {
    expect(written(({ line }) => line(hostile), isTTY)).toBe('a�[2Jb�31mc�d�e�f\n');
    expect(written(({ write }) => write(hostile), isTTY)).toBe('a�[2Jb�31mc�d�e\nf');
    expect(written(({ rewrite }) => rewrite([hostile], 0), isTTY)).toBe('a�[2Jb�31mc�d�e�f\n');
  });

  it('writes its own styles and cursor movements on a terminal only', () => {
    const styled = ({ line, style }: Output): void => line(style('red', 'a\u001b[2J'));
    expect(written(styled, true)).toBe('\u001b[31ma�[2J\u001b[39m\n');
    expect(written(styled, false)).toBe('a�[2J\n');
    expect(written(({ rewrite }) => rewrite(['x'], 1), true)).toBe('\u001b[1A\u001b[2Kx\n');
  });

  it('keeps the content of JSON', () => {
    const json = written(({ line }) => line(toJson({ text: hostile })), false);
    expect(json).not.toContain('�');
    expect(JSON.parse(json)).toEqual({ text: hostile });
  });
});
