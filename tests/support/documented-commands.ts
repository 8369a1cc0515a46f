import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../infra/process/paths.ts';

/** Returns the marked code blocks of a page by name. @param language `sh` or `yaml`. */
export function markedBlocks(mark: 'tested' | 'cluster', language = 'sh', page = 'operations.md'): Record<string, string> {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const pattern = new RegExp(`^\`\`\`${language} ${mark}=(\\S+)\\n(.*?)^\`\`\`$`, 'gms');
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name = '', block = '']) => [name, block]));
}
