import { stopInstance } from '../../infra/instance.ts';
import type { Cli } from '../cli.ts';
import { dataDirOf, instanceOf } from '../connection.ts';
import { exitCodes } from '../errors.ts';

/** Stops the local instance; that none runs is what was wanted, too. */
export async function down(cli: Cli): Promise<number> {
  const instance = await instanceOf(cli);
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
