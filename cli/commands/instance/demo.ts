import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startInstance } from '../../../infra/instance/instance.ts';
import { defaultDataDir } from '../../../infra/process/paths.ts';
import { createSampleVideo } from '../../../loadgen/arrivals/sample-video.ts';
import type { CliContext } from '../../context/cli.ts';
import { findDataDir, findInstance, hasServerAddresses } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { createSubmission } from '../../../shared/requests/submission.ts';
import { result } from '../results/result.ts';
import { submit } from '../requests/submit.ts';

/** Starts an instance if necessary, analyses a video and prints the result. */
export async function demo(cli: CliContext, video: string | undefined, { portBase }: { portBase?: string }): Promise<number> {
  const id = randomUUID();
  // Check the file before the start of an instance.
  if (video !== undefined) await createSubmission(video, cli.cwd, id);
  const here = await ensureInstance(cli, portBase === undefined ? [] : ['--port-base', portBase]);
  const dir = await mkdtemp(join(tmpdir(), 'fave-demo-'));
  try {
    if (video === undefined) cli.stderr.line('generating a sample video …');
    const file = video ?? (await createSampleVideo(dir, cli.signal));
    const code = await submit(here, [file], { id, option: [], wait: true });
    cli.stdout.line();
    if (code === exitCodes.ok) await result(here, id, {});
    cli.stderr.line();
    cli.stderr.line(cli.stderr.style('dim', `details: fave status ${id}`));
    if (here !== cli) cli.stderr.line(cli.stderr.style('dim', 'FAVE is still running; stop it with: ./fave down'));
    return code;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Returns a context with servers: those of the environment, a running instance, or a new one. */
async function ensureInstance(cli: CliContext, args: readonly string[]): Promise<CliContext> {
  if (hasServerAddresses(cli.env) || (await findInstance(cli))?.state === 'ready') return cli;
  const dataDir = findDataDir(cli) ?? defaultDataDir;
  await startInstance(dataDir, args, (line) => {
    cli.stderr.line(line);
  });
  return { ...cli, env: { ...cli.env, FAVE_DATA_DIR: dataDir } };
}
