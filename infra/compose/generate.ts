/** `npm run generate`: updates the parts of compose.yaml and of the Prometheus configuration that follow from the graph. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph } from '../../services/pipeline.ts';
import { root } from '../process/paths.ts';
import { GENERATED } from './names.ts';
import { generatedParts, withParts } from './services.ts';

for (const name of GENERATED) {
  const path = join(root, name);
  await writeFile(path, withParts(await readFile(path, 'utf8'), generatedParts(graph)));
}
