import { spawn } from 'node:child_process';
import { PermanentError } from '../../../shared/core/errors.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Variables in addition to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shows the output while the program runs, instead of returning it. */
  readonly show?: boolean;
  /** Returns standard error as well. */
  readonly all?: boolean;
  /** Standard input. Default: none. */
  readonly input?: string;
}

/** Runs a program. @returns Its output. @throws PermanentError `command-failed` with the end of its output. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, show = false, all = false, input }: RunOptions = {},
): Promise<string> {
  const output = show ? 2 : 'pipe';
  const stdio = [input === undefined ? 'ignore' : 'pipe', output, output] as const;
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [...stdio] });
  // A program may exit before it has read all input.
  child.stdin?.once('error', () => undefined).end(input);
  const collected = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (collected[name] += text));
  }
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject)).catch(
    (cause: unknown) => {
      throw new PermanentError('command-failed', `${command} cannot be started: is it installed?`, { cause });
    },
  );
  if (code === 0) return all ? collected.stdout + collected.stderr : collected.stdout;
  const words = collected.stderr.trimEnd().split('\n').slice(-12).join('\n');
  throw new PermanentError('command-failed', `${command} ${args.slice(0, 3).join(' ')} … ended with ${String(code)}\n${words}`);
}

/** Returns whether a program exits with 0. */
export function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}
