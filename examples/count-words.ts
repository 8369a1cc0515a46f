/** A complete stage: counts the words of each transcript. To use it, move it to `services/` and list it in `services/pipeline.ts`. */
import type { Transcript } from '../schemas/generated/types.ts';
import { kinds, type Kind } from '../schemas/kinds.ts';
import { defineStage } from '../shared/pipeline/stage.ts';

const wordCount = {
  name: 'word-count',
  key: 'count-words/clip_{clip}/word-count.json',
  contentType: 'application/json',
  announced: true,
} as const satisfies Kind;

export default defineStage({
  name: 'count-words',
  version: 1,
  consumes: kinds.transcript,
  produces: [wordCount],

  async run(item, { outputs }) {
    const { text } = (await item.json()) as Transcript;
    await outputs.json(wordCount, { words: text.split(/\s+/).filter(Boolean).length });
  },
});
