import type { Cli } from '../cli.ts';
import { withBus } from '../connection.ts';
import { exitCodes } from '../errors.ts';
import { describeEvent, follow, nextSequence } from '../events.ts';
import { assertRequestId } from '../requests.ts';

/** Prints events as they come, until Ctrl-C. Of one request also those that were: who asks wants to know where it stands. */
export async function watch(cli: Cli, id: string | undefined): Promise<number> {
  if (id !== undefined) assertRequestId(id);
  return withBus(cli, async (bus) => {
    const stop = await follow(bus, id, id === undefined ? await nextSequence(bus) : 1, (event) => {
      describeEvent(event, cli.stdout, id === undefined).forEach(cli.stdout.line);
    });
    if (cli.stderr.live) cli.stderr.line(cli.stderr.style('dim', `watching ${id ?? 'all requests'}; Ctrl-C ends`));
    await new Promise<void>((resolve) => {
      if (cli.signal.aborted) resolve();
      cli.signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
    await stop();
    return exitCodes.ok;
  });
}
