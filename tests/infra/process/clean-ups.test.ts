import { expect, it } from 'vitest';
import { runCleanups } from '../../../infra/process/clean-ups.ts';

it('runs clean-ups in reverse order, each once, also after a failure', async () => {
  const undone: number[] = [];
  const cleanUps = [
    () => void undone.push(1),
    () => Promise.reject(new Error('two will not go')),
    () => {
      throw new Error('nor will three');
    },
    () => Promise.resolve(undone.push(4)),
  ];
  await expect(runCleanups(cleanUps)).rejects.toThrow('nor will three; Error: two will not go');
  await runCleanups(cleanUps);
  expect(undone).toEqual([4, 1]);
});
