/** Reports a line to the user. */
export type ProgressReporter = (line: string) => void;

/** Runs a step of a start and reports it with its duration: `started MinIO and NATS (2.1 s)`. */
export async function reportStep<T>(progress: ProgressReporter, done: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  progress(`${done} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  return result;
}
