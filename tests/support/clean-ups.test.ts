import { expect, it } from 'vitest';
import { undo } from './clean-ups.ts';

it('what was started is undone in reverse order, each once, also after one that fails', async () => {
  const undone: number[] = [];
  const cleanUps = [
    () => void undone.push(1),
    () => Promise.reject(new Error('two will not go')),
    () => {
      throw new Error('nor will three');
    },
    () => Promise.resolve(undone.push(4)),
  ];
  await expect(undo(cleanUps)).rejects.toThrow('nor will three; Error: two will not go');
  await undo(cleanUps);
  expect(undone).toEqual([4, 1]);
});
