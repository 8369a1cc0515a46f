/** Deadline of what a test waits for: it only ends what hangs, as a loaded machine takes many times as long as an idle one. */
export const WAIT = { timeout: 60_000, interval: 20 };
