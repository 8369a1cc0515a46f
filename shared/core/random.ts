/**
 * Pseudo-random numbers, reproducible by seed: mulberry32, period 2³²,
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c. (Vega's `randomLCG` repeats after some 17 000.)
 */
export interface Random {
  /** Returns a number in [0, 1). */
  next(): number;
  /** Returns a number in [least, most). */
  between(least: number, most: number): number;
  pick<T>(among: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
}

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + next() * (most - least);
  return {
    next,
    between,
    pick: (among) => {
      const picked = among[Math.floor(next() * among.length)];
      if (picked === undefined) throw new Error('cannot pick from an empty list');
      return picked;
    },
    shuffled: <T>(list: readonly T[]) => {
      const shuffled = [...list];
      for (let n = shuffled.length - 1; n > 0; n -= 1) {
        const other = Math.floor(between(0, n + 1));
        const last = shuffled[n] as T;
        shuffled[n] = shuffled[other] as T;
        shuffled[other] = last;
      }
      return shuffled;
    },
  };
}
