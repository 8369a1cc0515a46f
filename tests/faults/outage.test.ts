import { beforeAll, expect, it } from 'vitest';
import { UnavailableError } from '../../shared/errors.ts';
import { MAX_DELIVERIES } from '../../shared/topology.ts';
import { tinyGraph } from '../fixtures/tiny/graph.ts';
import { requestOf, setUpFor, start } from '../runtime/harness.ts';
import { ownStack, uniqueId, type Stack } from '../stack.ts';

const graph = tinyGraph();

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
  await setUpFor(stack, graph);
  for (const name of ['relay', 'tracker', 'cut']) await start(stack, graph, name);
});

/** The same bus to which what is given back comes again at once: ten deliveries take more than ten minutes otherwise. */
function hurried({ bus }: Stack): Stack['bus'] {
  const { connection } = bus;
  const publish: typeof connection.publish = (subject, payload, options) => {
    const isNak = typeof payload === 'string' && payload.startsWith('-NAK {');
    connection.publish(subject, isNak ? '-NAK {"delay":1000000}' : payload, options);
  };
  const proxy = new Proxy(connection, {
    get: (target, name) => {
      if (name === 'publish') return publish;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...bus, connection: proxy };
}

it('a store that is away for longer than ten deliveries take kills no healthy item', { timeout: 60_000 }, async () => {
  const outage = MAX_DELIVERIES + 4;
  let refused = 0;
  const upload: typeof stack.store.upload = (...args) => {
    if (refused >= outage) return stack.store.upload(...args);
    refused += 1;
    return Promise.reject(new UnavailableError('store-unavailable', 'the store does not answer'));
  };
  const worker = await start({ ...stack, store: { ...stack.store, upload }, bus: hurried(stack) }, graph, 'shout');
  const request = requestOf(stack, uniqueId());
  await request.put('one', { memo: 'false' });
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], stages: { shout: { done: 1, failed: 0 } } });
  expect(refused).toBe(outage);
  expect(await request.deadLetters('shout')).toEqual([]);
  // The tenth delivery was announced anew; what came of it is counted from one.
  expect(await request.progress('shout')).toMatchObject([{ outcome: 'done', deliveries: outage - MAX_DELIVERIES + 1 }]);
  await worker.stop();
});
