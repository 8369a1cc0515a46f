/** What is said while a test runs, with the seconds that each step took. */
export interface Report {
  say(line: string): void;
  /** Does a step and says how long it took. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Seconds by step. */
  readonly seconds: Readonly<Record<string, number>>;
}

export function createReport(): Report {
  const seconds: Record<string, number> = {};
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  return {
    say,
    seconds,
    step: async (name, work) => {
      say(`… ${name}`);
      const begun = performance.now();
      const result = await work();
      seconds[name] = Math.round((performance.now() - begun) / 100) / 10;
      say(`ok ${name} (${seconds[name]} s)`);
      return result;
    },
  };
}
