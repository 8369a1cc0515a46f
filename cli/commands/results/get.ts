import { resolve } from 'node:path';
import { downloadRequest } from '../../../shared/results/download.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatBytes, formatCount } from '../../output/format.ts';
import { createRedraw } from '../../output/redraw.ts';

/** Downloads all objects of a request. */
export async function get(cli: CliContext, id: string, dir: string): Promise<number> {
  const target = resolve(cli.cwd, dir);
  const redraw = createRedraw(cli.stderr);
  const onProgress = (done: number, total: number): void => {
    if (cli.stderr.live) redraw.draw([`${done} of ${formatCount(total, 'file')}`]);
  };
  const { files, bytes, skipped } = await withStore(cli, (store) =>
    downloadRequest(store, id, target, { signal: cli.signal, onProgress }),
  );
  for (const key of skipped) cli.stderr.line(`skipped ${toJson(key)}, which is not a safe file name: download it with mc cp`);
  cli.stdout.line(`${formatCount(files, 'file')}, ${formatBytes(bytes)}, in ${target}`);
  return skipped.length === 0 ? exitCodes.ok : exitCodes.failed;
}
