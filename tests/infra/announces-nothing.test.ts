import { expect, it } from 'vitest';
import { createStore } from '../../shared/store.ts';
import { setUpBucket } from '../../infra/setup/bucket.ts';
import { graph } from '../../services/pipeline.ts';
import { ownStack } from '../stack.ts';

it('set-up leaves the rules of a bucket alone that FAVE looks into by itself', { timeout: 60_000 }, async () => {
  const stack = await ownStack();
  const store = createStore({ ...stack.config.store, bucket: 'announces-nothing' });
  try {
    expect(await setUpBucket({ store, graph, events: 'sweep' })).toEqual([
      'made bucket announces-nothing',
      'set the versioning of announces-nothing',
      'set the lifecycle of announces-nothing',
    ]);
    expect(await setUpBucket({ store, graph, events: 'sweep' })).toEqual([]);
    expect(await setUpBucket({ store, graph })).toEqual(['set the notification rules of announces-nothing']);
  } finally {
    store.close();
  }
});
