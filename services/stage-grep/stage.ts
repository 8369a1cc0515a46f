import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { parseQuery } from './query.ts';

/** Copies the clips whose transcript contains the words of the request's query, with the times of the matches. */
export default defineStage({
  name: 'stage-grep',
  version: 2,
  consumes: kinds.transcript,
  produces: [kinds.matchedClip, kinds.match],
  reads: [kinds.clip],
  options: {
    query: {
      type: 'string',
      default: '',
      maxLength: 200,
      parse: parseQuery,
      description: 'words to search for; clips in which all of them are spoken are copied',
    },
  },
  load: () => import('./run.ts'),
});
