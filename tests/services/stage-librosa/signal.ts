const RATE = 22_050;

/** The generator of Numerical Recipes: the same in tests/recorded/librosa/make.py. */
function noise(seed: number): (amplitude: number) => number {
  let state = seed;
  return (amplitude) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (((state >>> 16) - 32_768) * amplitude) >> 15;
  };
}

/** Returns noise bursts of falling loudness between pauses, equal to `generated()` of tests/recorded/librosa/make.py. */
export function bursts(): Int16Array {
  const next = noise(1);
  const samples: number[] = [];
  for (let burst = 0; burst < 40; burst++) {
    const loud = [30_000 >> (burst % 9), 2_756 * (1 + (burst % 8))] as const;
    const pause = [(burst * 2) % 50, 1_378 * (1 + (burst % 11))] as const;
    for (const [amplitude, length] of [loud, pause]) for (let i = 0; i < length; i++) samples.push(next(amplitude));
  }
  return Int16Array.from(samples);
}

/** Returns a sequence of noise. @param parts Length in seconds and amplitude (0 … 32 767) of each part. */
export function sequence(...parts: readonly (readonly [seconds: number, amplitude: number])[]): Int16Array {
  const next = noise(7);
  return Int16Array.from(
    parts.flatMap(([seconds, amplitude]) => Array.from({ length: Math.round(seconds * RATE) }, () => next(amplitude))),
  );
}
