import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { modelDirectories, modelsDir, pullModel } from '../../../infra/servers/models.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { knownModel, models } from '../../../shared/models/catalogue.ts';
import { findModel, listInstalled, type InstalledModel } from '../../../shared/models/find-model.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { findInstance } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatBytes, formatTable } from '../../output/format.ts';

interface ListedModel {
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
  readonly state: 'installed' | 'available';
  readonly path?: string;
  /** Whether the running instance uses it, or the next start will. */
  readonly used: boolean;
}

/** Prints the installed models and those that can be downloaded. */
export async function listModels(cli: CliContext, { json = false }: { json?: boolean }): Promise<number> {
  const { stdout, env } = cli;
  const used = await findUsedModel(cli);
  // The instance may have been started with other directories.
  const directories = [...(used === undefined ? [] : [dirname(used)]), ...modelDirectories(env)];
  const installed = listInstalled('whisper', [...new Set(directories)]);
  const missing = models.filter(({ name }) => !installed.some((each) => each.name === name));
  const listed: ListedModel[] = [
    ...(await Promise.all(installed.map((model) => describe(model, used)))),
    ...missing.map(({ kind, name, bytes }) => ({ kind, name, bytes, state: 'available' as const, used: false })),
  ];
  if (json) for (const model of listed) stdout.line(toJson(model));
  else
    formatTable(
      listed.map(({ name, bytes, state, path = '', used: inUse }) => [inUse ? '*' : '', name, formatBytes(bytes), state, path]),
    ).forEach(stdout.line);
  return exitCodes.ok;
}

/** Downloads models and prints their paths. Installed models are not downloaded again. */
export async function pull({ stdout, stderr, env, signal }: CliContext, names: readonly string[]): Promise<number> {
  names.forEach(knownModel);
  for (const name of names) {
    const installed = findModel('whisper', name, modelDirectories(env));
    stdout.line(installed ?? (await pullModel(name, { env, progress: stderr.line, signal })));
  }
  stderr.line(`use a model with FAVE_WHISPER_MODEL=${names[0] ?? ''} npm start; a running instance must be restarted`);
  return exitCodes.ok;
}

/**
 * Deletes downloaded models and unfinished downloads.
 * @throws PermanentError `unknown-model`, `model-in-use`.
 */
export async function removeModels(
  cli: CliContext,
  names: readonly string[],
  { force = false }: { force?: boolean },
): Promise<number> {
  const used = (await findInstance(cli))?.whisperModel;
  const downloaded = listInstalled('whisper', [modelsDir]);
  const paths = names.map((name) => {
    const path = downloaded.find((model) => model.name === name)?.path ?? `${modelsDir}/${knownModel(name).file}`;
    if (path === used && !force)
      throw new PermanentError('model-in-use', `the running instance uses ${name}: stop it with ./fave down, or use --force`);
    if (!existsSync(path) && !existsSync(`${path}.part`))
      throw new PermanentError('unknown-model', `${name} is not in ${modelsDir}; models of other directories are not deleted`);
    return { name, path };
  });
  for (const { name, path } of paths) {
    const files = [path, `${path}.part`];
    const sizes = await Promise.all(files.map(sizeOf));
    for (const file of [...files, `${path}.part.etag`]) await rm(file, { force: true });
    cli.stdout.line(`deleted ${name}, freed ${formatBytes(sizes.reduce((sum, size) => sum + size, 0))}`);
  }
  return exitCodes.ok;
}

/** Returns the path of the model that the running instance uses, or else the next start. */
async function findUsedModel(cli: CliContext): Promise<string | undefined> {
  const instance = await findInstance(cli);
  return instance ? instance.whisperModel : findModel('whisper', cli.env['FAVE_WHISPER_MODEL'] ?? '', modelDirectories(cli.env));
}

async function describe({ name, path }: InstalledModel, used: string | undefined): Promise<ListedModel> {
  return { kind: 'whisper', name, bytes: await sizeOf(path), state: 'installed', path, used: path === used };
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
