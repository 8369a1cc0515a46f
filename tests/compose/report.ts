/** Progress report of a test run with the duration of each step. */
export interface Report {
  log(line: string): void;
  /** Runs a step and reports its duration. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Duration of each step, in seconds. */
  readonly seconds: Readonly<Record<string, number>>;
}

export function createReport(): Report {
  const seconds: Record<string, number> = {};
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  return {
    log,
    seconds,
    step: async (name, work) => {
      log(`… ${name}`);
      const begun = performance.now();
      const result = await work();
      seconds[name] = Math.round((performance.now() - begun) / 100) / 10;
      log(`ok ${name} (${seconds[name]} s)`);
      return result;
    },
  };
}
