/** A promise that is settled from outside. */
export function settleable<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => ((resolve = yes), (reject = no)));
  promise.catch(() => undefined); // whoever waits for it hears of it; until somebody does, it is not unhandled
  return { promise, resolve, reject };
}
