import { CommanderError } from 'commander';
import { FaveError, messageOf, UsageError } from '../../shared/core/errors.ts';
import type { Output } from './cli.ts';

/** Exit codes of every command; 130 is what shells expect of a command that Ctrl-C ended. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Says what went wrong, in one sentence without a stack, and returns the exit code for it. */
export function exitCodeOf(error: unknown, stderr: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // it has said so itself
  if (error instanceof Error && error.name === 'AbortError') return exitCodes.interrupted;
  stderr.line(`${stderr.style('red', 'fave:')} ${messageOf(error)}`);
  if (error instanceof UsageError) return exitCodes.usage;
  // A Fault explains itself; anything else is a mistake in here, and only its stack tells where.
  if (!(error instanceof FaveError) && error instanceof Error && error.stack) stderr.line(stderr.style('dim', error.stack));
  return exitCodes.failed;
}
