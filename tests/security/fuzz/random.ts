import { randomOf } from '../../../shared/core/random.ts';

/** A seeded source of numbers, so that failures are reproducible. */
export interface Random {
  /** An integer from 0 up to, not including, `below`. */
  int(below: number): number;
  pick<T>(among: readonly T[]): T;
}

/** Creates the source of a case. @param index Number of the case. Each case has a separate sequence, so that it can run alone. */
export function createRandom(seed: number, index = 0): Random {
  const { next, pick } = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  return { int: (below) => Math.floor(next() * below), pick };
}
