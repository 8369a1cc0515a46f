import type { Match, Transcript } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { NotFoundError, RetryableError } from '../../shared/core/errors.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { matches } from './words.ts';

export async function run(item: Item, { options: { query }, outputs }: StageContext<{ readonly query: string }>): Promise<void> {
  if (query === '') return;
  const transcript = (await item.json()) as Transcript;
  const words = matches(query, transcript);
  if (words.length === 0) return;

  const clip = await item.sibling(kinds.clip).catch((cause: unknown) => {
    // Clips and their speech are cut in parallel.
    if (cause instanceof NotFoundError)
      throw new RetryableError('clip-pending', `the clip of ${item.id} is not cut yet`, { cause });
    throw cause;
  });
  await outputs.file(kinds.matchedClip, await clip.file(), { attributes: clip.attributes });
  const { start, end } = transcript;
  await outputs.json(kinds.match, { query, clip: clip.name, start, end, words } satisfies Match);
}
