import { stopInstance } from '../../../infra/instance/instance.ts';
import type { CliContext } from '../../context/cli.ts';
import { describeNoInstance, findInstance } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';

/** Stops the local instance. Succeeds if none is running. */
export async function down(cli: CliContext): Promise<number> {
  const instance = await findInstance(cli);
  if (!instance) {
    cli.stdout.line(describeNoInstance(cli));
    return exitCodes.ok;
  }
  cli.stderr.line('stopping …');
  await stopInstance(instance.dataDir);
  cli.stdout.line(`stopped; the data is kept in ${instance.dataDir}`);
  return exitCodes.ok;
}
