import { randomOf } from '../../../shared/core/random.ts';

/** A planned fault. Its seed determines its parameters, independent of timing. */
export interface Planned<Name extends string = string> {
  readonly fault: Name;
  readonly seed: number;
  /** Time before the fault, in seconds. */
  readonly after: number;
}

/**
 * Generates an endless sequence of faults: each fault once per round, in a different order per round.
 * @param gap Minimum and maximum time between faults, in seconds.
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
