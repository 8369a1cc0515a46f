import { ensureProgram } from '../../infra/servers/install.ts';

/** Returns the path of Vale, the prose linter; builds it on first use (minutes, needs a C compiler). */
export function ensureVale(): Promise<string> {
  return ensureProgram(
    { name: 'vale', package: 'github.com/vale-cli/vale/v3/cmd/vale', version: 'v3.20.0', atLeast: 'v3.20.0', cgo: true },
    (line) => process.stderr.write(`${line}\n`),
  );
}
