import type { Match, Transcript } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { matches } from './words.ts';

export async function run(item: Item, { options: { query }, outputs }: StageContext<{ readonly query: string }>): Promise<void> {
  if (query === '') return;
  const transcript = (await item.json()) as Transcript;
  const words = matches(query, transcript);
  if (words.length === 0) return;

  const clip = await item.sibling(kinds.clip);
  await outputs.file(kinds.matchedClip, await clip.file(), { attributes: clip.attributes });
  const { start, end } = transcript;
  await outputs.json(kinds.match, { query, clip: clip.name, start, end, words } satisfies Match);
}
