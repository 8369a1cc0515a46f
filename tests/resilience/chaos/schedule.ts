import { randomOf } from '../../../shared/core/random.ts';

/** A fault that is to be injected. Its own seed decides what exactly it does, so that timing does not. */
export interface Planned<Name extends string = string> {
  readonly fault: Name;
  readonly seed: number;
  /** Seconds of peace before it. */
  readonly after: number;
}

/**
 * Which faults come one after the other: each of them once a round, in another order each round, for ever.
 * @param gap Seconds between two faults, least and most.
 */
export function* planFaults<Name extends string>(
  seed: number,
  faults: readonly Name[],
  [least, most]: readonly [number, number],
): Generator<Planned<Name>> {
  if (faults.length === 0) return;
  const random = randomOf(seed);
  for (;;) {
    for (const fault of random.shuffled(faults))
      yield { fault, seed: Math.floor(random.between(0, 2 ** 32)), after: random.between(least, most) };
  }
}
