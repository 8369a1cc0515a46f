import type { Match, Transcript } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { matches } from './words.ts';

/** The clips in which the words of the request's query are spoken, put aside with where in the video that is. */
export default defineStage({
  name: 'stage-grep',
  version: 1,
  consumes: kinds.transcript,
  produces: [kinds.matchedClip, kinds.match],
  reads: [kinds.clip],
  options: {
    query: {
      type: 'string',
      default: '',
      maxLength: 200,
      description: 'words; clips in which all of them are spoken are put aside',
    },
  },

  async run(item, { options: { query }, outputs }) {
    if (query === '') return;
    const transcript = (await item.json()) as Transcript;
    const words = matches(query, transcript);
    if (words.length === 0) return;

    const clip = await item.sibling(kinds.clip);
    await outputs.file(kinds.matchedClip, await clip.file(), { attributes: clip.attributes });
    const { start, end } = transcript;
    await outputs.json(kinds.match, { query, clip: clip.name, start, end, words } satisfies Match);
  },
});
