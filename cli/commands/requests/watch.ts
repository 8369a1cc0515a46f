import { followRequestEvents, nextSequence, type RequestEvent } from '../../../shared/bus/request-events.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatEvent } from '../../output/events.ts';

/** Prints the events of one request from its start, or new events of all requests, until Ctrl-C. */
export async function watch(cli: CliContext, id: string | undefined): Promise<number> {
  return withBus(cli, async (bus) => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const from = id === undefined ? await nextSequence(bus) : 1;
    const take = (event: RequestEvent): void => {
      formatEvent(event, cli.stdout, id === undefined).forEach(cli.stdout.line);
    };
    const stop = await followRequestEvents(bus, { requestId: id, from }, { onEvent: take, onError: reject });
    if (cli.stderr.live) cli.stderr.line(cli.stderr.style('dim', `watching ${id ?? 'all requests'}; stop with Ctrl-C`));
    if (cli.signal.aborted) resolve(undefined);
    cli.signal.addEventListener('abort', () => {
      resolve(undefined);
    });
    try {
      await promise;
    } finally {
      await stop();
    }
    return exitCodes.ok;
  });
}
