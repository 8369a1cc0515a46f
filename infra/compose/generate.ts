/** `npm run compose`: writes into compose.yaml what follows from the graph. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph } from '../../services/pipeline.ts';
import { root } from '../paths.ts';
import { generatedParts, withParts } from './services.ts';

const path = join(root, 'compose.yaml');
await writeFile(path, withParts(await readFile(path, 'utf8'), generatedParts(graph)));
