import { randomOf } from '../../../shared/core/random.ts';

/** A source of numbers that a seed decides: what went wrong once goes wrong again. */
export interface Random {
  /** An integer from 0 up to, not including, `below`. */
  int(below: number): number;
  pick<T>(among: readonly T[]): T;
}

/** @param index Of the case: each has a sequence of its own, so that one can be run alone. */
export function createRandom(seed: number, index = 0): Random {
  const { next, pick } = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  return { int: (below) => Math.floor(next() * below), pick };
}
