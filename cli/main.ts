/** The `fave` command: parses the arguments, runs a command and sets the exit code. */
import { setMaxListeners } from 'node:events';
import { writeSync } from 'node:fs';
import { createOutput, type CliContext } from './context/cli.ts';
import { exitCodes, reportError } from './context/errors.ts';
import { createProgram } from './program.ts';

const interrupted = new AbortController();
setMaxListeners(0, interrupted.signal); // one listener per transfer
const interrupt = (): void => {
  // A second Ctrl-C exits immediately.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
};
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
/** Ends the process, because its output cannot be written. `fave ls | head` closes the pipe early; the exit code is then 0. */
function endOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  try {
    writeSync(process.stderr.fd, `fave: the output cannot be written: ${error.message}\n`);
  } catch {
    // Standard error cannot be written either. The exit code remains.
  }
  process.exit(exitCodes.failed);
}
process.stdout.on('error', endOutput);
process.stderr.on('error', endOutput);

const cli: CliContext = {
  stdout: createOutput(process.stdout, process.env),
  stderr: createOutput(process.stderr, process.env),
  env: process.env,
  cwd: process.cwd(),
  signal: interrupted.signal,
};

let exitCode = 0;
try {
  await createProgram(cli, (code) => (exitCode = code)).parseAsync();
} catch (error) {
  exitCode = reportError(error, cli.stderr);
}
process.exitCode = exitCode;
