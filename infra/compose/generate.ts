/** `npm run generate`: writes into compose.yaml and Prometheus' configuration what follows from the graph. */
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
