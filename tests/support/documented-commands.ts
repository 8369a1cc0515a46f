import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../infra/process/paths.ts';

/** The blocks of a page that bear a mark, by the name it gives them. @param language `sh`, or `yaml` for what is applied. */
export function markedBlocks(mark: 'tested' | 'cluster', language = 'sh', page = 'operations.md'): Record<string, string> {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const pattern = new RegExp(`^\`\`\`${language} ${mark}=(\\S+)\\n(.*?)^\`\`\`$`, 'gms');
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name = '', block = '']) => [name, block]));
}
