import { stopInstance } from '../../../infra/instance/instance.ts';
import type { CliContext } from '../../context/cli.ts';
import { dataDirOf, findInstance } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';

/** Stops the local instance; that none runs is what was wanted, too. */
export async function down(cli: CliContext): Promise<number> {
  const instance = await findInstance(cli);
  if (!instance) {
    const where = dataDirOf(cli);
    cli.stdout.line(`no instance is running${where === undefined ? ' here' : ` in ${where}`}`);
    return exitCodes.ok;
  }
  cli.stderr.line('stopping …');
  await stopInstance(instance.dataDir);
  cli.stdout.line(`stopped; the data stay in ${instance.dataDir}`);
  return exitCodes.ok;
}
