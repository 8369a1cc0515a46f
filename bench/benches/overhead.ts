import { randomUUID } from 'node:crypto';
import { kinds } from '../../schemas/kinds.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, now, summarize } from '../report/figures.ts';
import { FAN_STAGE, createFixtureGraph, WORK_STAGE } from '../peers/fixture-graph.ts';
import { waitForEnd, withInstance } from '../instance/instance.ts';

/** Number of requests before the measurement. */
const WARM_UP = 20;

export const overhead: Bench = {
  name: 'overhead',
  about: 'overhead of an item of an empty stage: time from the PUT upstream to the confirmed acknowledgement',
  n: 200,
  async run({ n, progress }) {
    return withInstance({ graph: createFixtureGraph(), progress }, async ({ store, bus, peer }) => {
      await Promise.all(['relay', 'tracker'].map((name) => peer('fixture-service', name, name)));
      const [fan, work] = await Promise.all([
        peer('fixture-service', FAN_STAGE, FAN_STAGE),
        peer('fixture-service', WORK_STAGE, WORK_STAGE),
      ]);
      progress(`measuring ${n} requests with one item after the input`);
      const items: Record<'total' | 'hop_and_receipt' | 'stage' | 'settle' | 'request', number>[] = [];
      for (let i = 0; i < WARM_UP + n; i += 1) {
        const id = randomUUID();
        const end = waitForEnd(bus, id);
        const uploaded = now();
        await store.put(requestPrefix(id) + pathOf(kinds.input, { file: '1.json' }), id);
        const put = (await fan.next('put')).at;
        const begun = (await work.next('begun')).at;
        const made = (await work.next('made')).at;
        const acknowledged = (await work.next('acknowledged')).at;
        items.push({
          total: acknowledged - put,
          hop_and_receipt: begun - put,
          stage: made - begun,
          settle: acknowledged - made,
          request: (await end).at - uploaded,
        });
      }
      const seen = items.slice(WARM_UP);
      const of = (part: keyof (typeof seen)[number]) => summarize(seen.map((item) => item[part]));
      const total = of('total');
      return {
        targets: [atMost('p50 ms', total.p50, 25)],
        figures: {
          total,
          hop_and_receipt: of('hop_and_receipt'),
          stage_get_and_put: of('stage'),
          settle: of('settle'),
          whole_request_of_two_items: of('request'),
        },
      };
    });
  },
};
