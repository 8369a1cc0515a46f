import { messageOf } from '../../shared/core/errors.ts';

/** Result of one check. */
export interface Check {
  /** `tools`, `store`, `bus` or `services`. */
  readonly group: string;
  readonly name: string;
  /** `warn`: works, but needs attention. */
  readonly state: 'ok' | 'warn' | 'bad';
  /** Observed value or problem. */
  readonly found: string;
  /** Action that fixes the problem; empty for `ok`. */
  readonly fix: string;
}

export const ok = (group: string, name: string, found: string): Check => ({ group, name, state: 'ok', found, fix: '' });
export const warn = (group: string, name: string, found: string, fix: string): Check => ({
  group,
  name,
  state: 'warn',
  found,
  fix,
});
export const bad = (group: string, name: string, found: string, fix: string): Check => ({
  group,
  name,
  state: 'bad',
  found,
  fix,
});

/** Runs a check. An error of `run` becomes a `bad` result. */
export async function check(group: string, name: string, fix: string, run: () => Promise<Check | string>): Promise<Check> {
  try {
    const found = await run();
    return typeof found === 'string' ? ok(group, name, found) : found;
  } catch (error) {
    return bad(group, name, messageOf(error), fix);
  }
}
