/**
 * Numbers of at least 0 and below 1 that are the same for the same seed: mulberry32, period 2³²,
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c. (Vega's `randomLCG` repeats after some 17 000 numbers, fewer
 * than one interval draws.)
 */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
