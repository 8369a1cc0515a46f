import { graph } from '../../../services/pipeline.ts';
import { requestPrefix } from '../../../shared/pipeline/keys.ts';
import { sweepRequests, type SweptObject } from '../../../shared/requests/sweep.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatCount } from '../../output/format.ts';

/** Reannounces lost objects of open requests. */
export async function sweep(cli: CliContext, id: string | undefined, { dryRun = false }: { dryRun?: boolean }): Promise<number> {
  let objects = 0;
  const onObject = ({ requestId, object }: SweptObject): void => {
    objects += 1;
    const path = object.key.slice(requestPrefix(requestId).length);
    cli.stdout.line(`${requestId}  ${path}: ${dryRun ? 'would be announced' : 'announced'} for ${object.stages.join(', ')}`);
  };
  const requests = await withStore(cli, (store) =>
    withBus(cli, (bus) => sweepRequests(bus, store, graph, { id, dryRun, onObject })),
  );
  cli.stderr.line(cli.stderr.style('dim', `${formatCount(objects, 'object')} of ${formatCount(requests, 'open request')}`));
  return exitCodes.ok;
}
