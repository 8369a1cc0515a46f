import { expect, test } from 'vitest';
import { toClipWindow } from '../../../shared/media/clip-window.ts';

test('defaults the pre-roll to 0', () => {
  expect(toClipWindow({ name: 'clip.mp4', attributes: { start: 2, end: 5.5 } })).toEqual({
    start: 2,
    end: 5.5,
    duration: 3.5,
    preroll: 0,
  });
});

test.each([{}, { start: 1 }, { start: 3, end: 3 }, { start: 3, end: 2 }, { start: NaN, end: 2 }])(
  '%o is no place',
  (attributes) => {
    expect(() => toClipWindow({ name: 'clip.mp4', attributes })).toThrow(expect.objectContaining({ code: 'invalid-clip' }));
  },
);
