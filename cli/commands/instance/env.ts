import { PermanentError } from '../../../shared/core/errors.ts';
import { instanceEnvironment } from '../../../infra/instance/instance.ts';
import { programsDir } from '../../../infra/instance/record.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { describeNoInstance, findInstance } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';

/** Prints the variables that give a shell access to the local instance. Only this command prints credentials. */
export async function env(cli: CliContext, { json = false }: { json?: boolean }): Promise<number> {
  const instance = await findInstance(cli);
  if (!instance) {
    throw new PermanentError('no-instance', `${describeNoInstance(cli)}: start one with npm start`);
  }
  const variables = await instanceEnvironment(instance, cli.env['PATH'] ?? '');
  if (json) cli.stdout.line(toJson(variables));
  else {
    const { PATH: _, ...others } = variables;
    // The shell keeps its own PATH: that of this process may contain more, such as the programs of npm.
    cli.stdout.line(`export PATH=${quote(programsDir(instance.dataDir))}:"$PATH"`);
    for (const [name, value] of Object.entries(others)) cli.stdout.line(`export ${name}=${quote(value)}`);
  }
  return exitCodes.ok;
}

/** Quotes text as one word of a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
