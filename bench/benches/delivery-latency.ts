import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeMetadata } from '../../shared/pipeline/metadata.ts';
import { computeSha256, type Store } from '../../shared/store/store.ts';
import { newTraceparent } from '../../shared/observability/trace.ts';
import { consumerName } from '../../shared/bus/topology.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, now, summarize } from '../report/figures.ts';
import { withInstance } from '../instance/instance.ts';
import type { Peer } from '../peers/peer.ts';

/** Pause between uploads, in ms, so all processes are idle at each upload. */
const PAUSE = 40;

/** Number of uploads before the measurement, which exclude compilation and connection times. */
const WARM_UP = 20;

export const deliveryLatency: Bench = {
  name: 'hop',
  about: 'time from the start of a PUT until the consuming process has the validated item; idle system, separate processes',
  n: 300,
  async run({ n, progress }) {
    return withInstance({ graph, services: ['relay', 'tracker'], progress }, async ({ store, peer }) => {
      const series = async (kind: Kind, stage: string, count: number) => {
        progress(`${count} uploads of a kind: ${kind.name}`);
        const consumer = await peer('consumer', stage, consumerName(stage, 'first'));
        const seen: Upload[] = [];
        for (let i = 0; i < WARM_UP + count; i += 1) seen.push(await uploadOne(store, kind, consumer));
        return seen.slice(WARM_UP);
      };
      const artifact = await series(kinds.audio, 'stage-librosa', n);
      const input = await series(kinds.input, 'stage-ffmpeg-0', Math.ceil(n / 3));
      const hops = summarize(artifact.map(({ held }) => held));
      return {
        targets: [atMost('p50 ms', hops.p50, 6), atMost('p99 ms', hops.p99, 20)],
        figures: {
          hop: hops,
          put: summarize(artifact.map(({ put }) => put)),
          input_hop: summarize(input.map(({ held }) => held)),
          input_put: summarize(input.map(({ put }) => put)),
        },
      };
    });
  },
};

/** Milliseconds from the beginning of the PUT to its answer, and to the item in the consumer's hands. */
interface Upload {
  readonly put: number;
  readonly held: number;
}

async function uploadOne(store: Store, kind: Kind, consumer: Peer): Promise<Upload> {
  const key = requestPrefix(randomUUID()) + pathOf(kind, { file: 'video.mp4' });
  const content = key;
  const metadata = { run: 1, options: {}, attributes: {}, sha256: computeSha256(content), traceparent: newTraceparent() };
  const held = consumer.next('held');
  const begun = now();
  await store.put(key, content, { headers: kind === kinds.input ? {} : encodeMetadata(metadata) });
  const put = now() - begun;
  const { at, of } = await held;
  if (of !== key) throw new Error(`${key} was uploaded, and ${String(of)} arrived`);
  await sleep(PAUSE);
  return { put, held: at - begun };
}
