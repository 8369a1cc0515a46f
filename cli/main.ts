/** The `fave` command: parses the arguments, runs a command and sets the exit code. */
import { setMaxListeners } from 'node:events';
import { createOutput, type CliContext } from './context/cli.ts';
import { reportError } from './context/errors.ts';
import { createProgram } from './program.ts';

const interrupted = new AbortController();
setMaxListeners(0, interrupted.signal); // one listener per transfer
const interrupt = (): void => {
  // A second Ctrl-C exits immediately.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
};
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
// `fave ls | head` closes the pipe early. Ignore that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

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
