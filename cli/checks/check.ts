import { messageOf } from '../../shared/core/errors.ts';

/** One thing that FAVE needs, and whether it is fine. */
export interface Check {
  /** What belongs together: `tools`, `store`, `bus`, `services`. */
  readonly group: string;
  readonly name: string;
  /** `warn`: works, and somebody should know. */
  readonly state: 'ok' | 'warn' | 'bad';
  /** What was found. */
  readonly found: string;
  /** What to do; empty where nothing is. */
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

/** A check that fails when looking fails. */
export async function check(group: string, name: string, fix: string, look: () => Promise<Check | string>): Promise<Check> {
  try {
    const found = await look();
    return typeof found === 'string' ? ok(group, name, found) : found;
  } catch (error) {
    return bad(group, name, messageOf(error), fix);
  }
}
