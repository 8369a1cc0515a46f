/** Timeout for conditions in tests. It only ends hanging tests, because a loaded machine is many times slower than an idle one. */
export const WAIT = { timeout: 60_000, interval: 20 };
