import { tmpdir } from 'node:os';
import { expect } from 'vitest';
import { createOutput, type CliContext, type Output } from '../../../cli/context/cli.ts';
import { reportError } from '../../../cli/context/errors.ts';
import { createProgram } from '../../../cli/program.ts';

/** Result of a run of `fave`. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Creates an output that records its text. */
export function record(): Output & { readonly text: () => string } {
  let text = '';
  const stream = { isTTY: false, columns: 80, write: (more: string) => Boolean((text += more)) };
  return { ...createOutput(stream, {}), text: () => text };
}

/** Runs `fave` in this process, as `cli/main.ts` does. @param options `stdout` can be read during the run. */
export async function fave(
  args: readonly string[],
  options: Partial<Pick<CliContext, 'env' | 'cwd' | 'signal'> & { stdout: ReturnType<typeof record> }> = {},
): Promise<Run> {
  const { env = {}, cwd = tmpdir(), signal = new AbortController().signal, stdout = record() } = options;
  const stderr = record();
  let code = 0;
  try {
    await createProgram({ stdout, stderr, env, cwd, signal }, (ended) => (code = ended)).parseAsync([...args], { from: 'user' });
  } catch (error) {
    code = reportError(error, stderr);
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Returns the expected result of a failed command. @param message Part of standard error. */
export function failure(message: string, code = 1) {
  return { code, stderr: expect.stringContaining(message) as string };
}

/** Returns the last line of standard output, parsed as JSON. */
export function lastJson(run: Run): Record<string, unknown> {
  return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}
