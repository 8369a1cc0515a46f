import { CommanderError } from 'commander';
import { FaveError, messageOf, UsageError } from '../../shared/core/errors.ts';
import type { Output } from './cli.ts';

/** Exit codes of all commands. Shells expect 130 after Ctrl-C. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Prints an error, with its stack only if it is unexpected, and returns the exit code. */
export function reportError(error: unknown, stderr: Output): number {
  // Commander has printed its errors.
  if (error instanceof CommanderError) {
    const option = /^error: unknown option '(-\w[\w-]*)'/.exec(error.message)?.[1];
    if (option !== undefined) stderr.line(`(write an id that begins with - after --, for example: fave status -- ${option})`);
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  if (error instanceof Error && error.name === 'AbortError') return exitCodes.interrupted;
  const [first = '', ...more] = messageOf(error).split('\n');
  stderr.line(`${stderr.style('red', 'fave:')} ${first}`);
  for (const line of more) stderr.line(`  ${line}`);
  if (error instanceof UsageError) return exitCodes.usage;
  // Any other error is a bug, unless the system reports it, as for a full disk; its stack shows where.
  if (!(error instanceof FaveError) && error instanceof Error && error.stack && !('syscall' in error))
    stderr.write(stderr.style('dim', `${error.stack}\n`));
  return exitCodes.failed;
}
