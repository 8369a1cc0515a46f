import { setTimeout as sleep } from 'node:timers/promises';
import { kinds } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { encodeMetadata } from '../../shared/pipeline/metadata.ts';
import { computeSha256, type Store } from '../../shared/store/store.ts';
import { streams, subjects } from '../../shared/bus/topology.ts';
import { newTraceparent } from '../../shared/observability/trace.ts';
import type { Bench } from '../report/bench.ts';
import { atLeast, now, roundToMicro } from '../report/figures.ts';
import { withInstance } from '../instance/instance.ts';
import { readCpuTime } from '../../loadgen/study/system/proc.ts';

/** Number of clips per request: a long request. */
const CLIPS = 500;

/** Number of concurrently published messages while preparing the backlog. */
const BATCH = 500;

export const drain: Bench = {
  name: 'drain',
  about: 'one relay drains a backlog of n PUTs that arrived on both notification paths, with validation',
  n: 10_000,
  async run({ n, progress }) {
    return withInstance({ graph, progress }, async ({ launched, store, bus }) => {
      const recorded = await record(store, bus);
      progress(`preparing ${2 * n} notifications from a recorded one`);
      for (let first = 0; first < n; first += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, n - first) }, (_, i) => notification(recorded, first + i));
        await Promise.all(
          [subjects.rawFast, subjects.rawDurable].flatMap((path) => batch.map((each) => bus.publish(path, each, {}))),
        );
      }
      const landedBefore = await messagesIn(bus, streams.landed);
      progress('starting one relay');
      const relay = await launched.startService('relay');
      const begun = now();
      const left = await messagesIn(bus, streams.raw);
      while ((await messagesIn(bus, streams.raw)) > 0) await sleep(20);
      const seconds = (now() - begun) / 1_000;
      const landed = (await messagesIn(bus, streams.landed)) - landedBefore;
      if (landed !== n) throw new Error(`the relay announced ${landed} of ${n} objects`);
      const cpu = readCpuTime(relay.current()?.pid ?? 0) / 1_000;
      return {
        targets: [atLeast('events per second', left / seconds, 2_000)],
        figures: {
          events: left,
          seconds: roundToMicro(seconds),
          events_a_second: Math.round(left / seconds),
          relay_cpu_seconds: cpu,
          landed,
        },
      };
    });
  },
};

interface Notification {
  readonly Key: string;
  readonly Records: readonly { readonly s3: { readonly object: object } }[];
}

/** Records the notification of MinIO for a clip that a worker puts, then purges the stream. */
async function record(store: Store, bus: Bus): Promise<Notification> {
  const metadata = {
    run: 1,
    options: {},
    attributes: { start: 0, end: 10, preroll: 0 },
    sha256: computeSha256(''),
    traceparent: newTraceparent(),
  };
  await store.put(keyOf(0), '', { headers: encodeMetadata(metadata) });
  const notification = await arrived(bus, subjects.rawFast);
  // The second path polls. Its notifications, including that of the canary of set-up, must not arrive during the measurement.
  await arrived(bus, subjects.rawDurable);
  await bus.manager.streams.purge(streams.raw);
  return notification;
}

/** Waits until the last notification on a path is that of the recorded object. */
async function arrived(bus: Bus, path: string): Promise<Notification> {
  for (;;) {
    const message = await bus.manager.streams.getMessage(streams.raw, { last_by_subj: path });
    const notification = message?.json<Notification>();
    if (notification?.Key.endsWith(keyOf(0))) return notification;
    await sleep(50);
  }
}

/** Returns the recorded notification for another clip with different content. */
function notification(recorded: Notification, n: number): object {
  const [first] = recorded.Records;
  if (!first) throw new Error('the notification has no record');
  const object = { ...first.s3.object, key: encodeURIComponent(keyOf(n)), eTag: computeSha256(String(n)).slice(0, 32) };
  return { ...recorded, Key: keyOf(n), Records: [{ ...first, s3: { ...first.s3, object } }] };
}

function keyOf(n: number): string {
  return requestPrefix(`drain-${Math.floor(n / CLIPS)}`) + pathOf(kinds.clip, { indices: { clip: (n % CLIPS) + 1 } });
}

async function messagesIn(bus: Bus, stream: string): Promise<number> {
  return (await bus.manager.streams.info(stream)).state.messages;
}
