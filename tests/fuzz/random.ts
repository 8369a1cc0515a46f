/** A source of numbers that a seed decides: what went wrong once goes wrong again. */
export interface Random {
  /** An integer from 0 up to, not including, `below`. */
  int(below: number): number;
  pick<T>(among: readonly T[]): T;
}

/**
 * Mulberry32, by Tommy Ettinger (public domain): 32 bits of state, enough to choose bytes by.
 * @param index Of the case: each has a sequence of its own, so that one can be run alone.
 */
export function random(seed: number, index = 0): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    pick: <T>(among: readonly T[]): T => {
      const chosen = among[int(among.length)];
      if (chosen === undefined) throw new Error('there is nothing to pick from');
      return chosen;
    },
  };
}
