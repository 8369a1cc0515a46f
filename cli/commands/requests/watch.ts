import type { CliContext } from '../../context/cli.ts';
import { withBus } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { followRequestEvents, nextSequence, type RequestEvent } from '../../../shared/bus/request-events.ts';
import { describeEvent } from '../../output/events.ts';
import { assertRequestId } from '../../../shared/requests/read-request.ts';
import { settleable } from '../../output/settleable.ts';

/** Prints events as they come, until Ctrl-C. Of one request also those that were: who asks wants to know where it stands. */
export async function watch(cli: CliContext, id: string | undefined): Promise<number> {
  if (id !== undefined) assertRequestId(id);
  return withBus(cli, async (bus) => {
    const { promise, resolve, reject } = settleable<undefined>();
    const from = id === undefined ? await nextSequence(bus) : 1;
    const take = (event: RequestEvent): void => {
      describeEvent(event, cli.stdout, id === undefined).forEach(cli.stdout.line);
    };
    const stop = await followRequestEvents(bus, id, from, { take, failed: reject });
    if (cli.stderr.live) cli.stderr.line(cli.stderr.style('dim', `watching ${id ?? 'all requests'}; Ctrl-C ends`));
    if (cli.signal.aborted) resolve(undefined);
    cli.signal.addEventListener('abort', () => {
      resolve(undefined);
    });
    await promise;
    await stop();
    return exitCodes.ok;
  });
}
