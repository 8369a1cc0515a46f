import { readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { modelFile, modelName, models, type ModelKind } from './catalogue.ts';

/** Value of `FAVE_WHISPER_MODEL` that disables Whisper. */
export const NO_MODEL = 'none';

/** A model file on this machine. */
export interface InstalledModel {
  readonly name: string;
  readonly path: string;
}

/** Parses a list of directories, such as `FAVE_MODELS`. */
export function parseDirectories(list = ''): string[] {
  return list
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => resolve(directory));
}

/** Returns the models in directories: earlier directories first, then in the order of the catalogue, then unknown models by name. */
export function listInstalled(kind: ModelKind, directories: readonly string[]): InstalledModel[] {
  return directories.flatMap((directory) =>
    readDirectory(directory)
      .flatMap((file) => {
        const name = modelName(kind, file);
        return name === undefined ? [] : [{ name, path: join(directory, file) }];
      })
      .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1)),
  );
}

/**
 * Returns the path of the model to use, or `undefined` if no model is installed.
 * @param wanted Path or name of a model; empty for the preferred installed model; {@link NO_MODEL} for none. A path is returned
 * without a check that the file exists.
 */
export function findModel(kind: ModelKind, wanted: string, directories: readonly string[]): string | undefined {
  if (wanted === NO_MODEL) return undefined;
  if (isPath(kind, wanted)) return resolve(wanted);
  return listInstalled(kind, directories).find(({ name }) => wanted === '' || name === wanted)?.path;
}

/** Returns whether a setting is a path, not a name. `ggml-base.bin` is a path. */
export function isPath(kind: ModelKind, wanted: string): boolean {
  return wanted.includes('/') || modelName(kind, wanted) !== undefined;
}

function rank(name: string): number {
  const index = models.findIndex((model) => model.file === modelFile(model.kind, name));
  return index < 0 ? models.length : index;
}

function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // a directory may be created later
  }
}
