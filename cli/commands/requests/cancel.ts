import { cancelRequest } from '../../../shared/requests/cancel.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';

/** Cancels a request. */
export async function cancel(
  cli: CliContext,
  id: string,
  { reason = 'cancelled with fave cancel' }: { reason?: string },
): Promise<number> {
  const run = await withStore(cli, (store) => withBus(cli, (bus) => cancelRequest(bus, store, id, reason)));
  cli.stdout.line(`request ${id} is cancelled (run ${run}); run it again with: fave replay ${id}`);
  return exitCodes.ok;
}
