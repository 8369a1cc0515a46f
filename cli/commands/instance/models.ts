import { join } from 'node:path';
import { cacheDir } from '../../../infra/process/paths.ts';
import { MODELS, pullModel } from '../../../services/stage-deepspeech/models.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatTable } from '../../output/format.ts';

/** Directory of downloaded models, shared by all instances of the machine. */
const modelsDir = join(cacheDir, 'models');

/** Prints the available models. */
export function listModels({ stdout }: CliContext, { json = false }: { json?: boolean }): Promise<number> {
  const models = Object.entries(MODELS);
  if (json) for (const [name, { url, sha1 }] of models) stdout.line(toJson({ name, url, sha1 }));
  else formatTable(models.map(([name, { url }]) => [name, url])).forEach(stdout.line);
  return Promise.resolve(exitCodes.ok);
}

/** Downloads a model and prints how to use it. */
export async function pull({ stdout, stderr, signal }: CliContext, name: string): Promise<number> {
  stderr.line(`downloading ${name} …`);
  const path = await pullModel(name, modelsDir, (url, init) => fetch(url, { ...init, signal }));
  stdout.line(path);
  stderr.line(`use it with FAVE_WHISPER_MODEL=${path} npm start`);
  return exitCodes.ok;
}
