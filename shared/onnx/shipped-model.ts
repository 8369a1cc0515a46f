import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns the path of a model of `shared/onnx/models/`. @param file File name with its extension. */
export function shippedModelPath(file: string): string {
  return join(findRoot(import.meta.dirname), 'shared/onnx/models', file);
}

/** Returns the nearest directory that contains `package.json`, because this module runs from its source and, bundled, from `dist/`. */
function findRoot(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findRoot(dirname(directory));
}
