import { randomUUID } from 'node:crypto';
import { kinds } from '../../schemas/kinds.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, now, roundToMicro, summarize } from '../report/figures.ts';
import { FAN_STAGE, createFixtureGraph, WORK_STAGE } from '../peers/fixture-graph.ts';
import { waitForEnd, withInstance, type Instance } from '../instance/instance.ts';
import type { Peer } from '../peers/peer.ts';
import { readCpuTime } from '../../loadgen/study/system/proc.ts';

/** Number of clips of a small and of a large request. */
const SMALL = 10;
const LARGE = 500;

/** Number of small requests before the measurement. */
const WARM_UP = 30;

export const scale: Bench = {
  name: 'scale',
  about: `overhead per item in n requests of ${LARGE} clips and in as many clips in requests of ${SMALL}, alternating; stages without tools`,
  n: 3,
  async run({ n, progress }) {
    return withInstance({ graph: createFixtureGraph(), progress }, async (instance) => {
      const services = ['relay', 'tracker', FAN_STAGE, WORK_STAGE];
      const peers = await Promise.all(services.map((name) => instance.peer('fixture-service', name, name)));
      const [, tracker, , work] = peers as [Peer, Peer, Peer, Peer];
      const servers = instance.launched.servers.processes;
      const measure = (clips: number, times: number) =>
        measureRequests(instance, { clips, times, work, tracker, all: [...peers, ...servers] });

      progress(`warming up with ${WARM_UP} requests`);
      await measure(SMALL, WARM_UP);
      const small: Measured[] = [];
      const large: Measured[] = [];
      for (let round = 0; round < n; round += 1) {
        progress(`round ${round + 1} of ${n}`);
        small.push(await measure(SMALL, LARGE / SMALL));
        large.push(await measure(LARGE, 1));
      }
      const ratio = (of: (measured: Measured) => number): number => median(large.map(of)) / median(small.map(of));
      return {
        targets: [
          atMost(
            `turn of an item, ${LARGE} : ${SMALL} clips`,
            ratio(({ turns }) => median(turns)),
            1.2,
          ),
          atMost(
            `CPU per item, all processes, ${LARGE} : ${SMALL}`,
            ratio(({ cpu }) => cpu),
            1.2,
          ),
          atMost(
            `tracker's CPU per item, ${LARGE} : ${SMALL}`,
            ratio(({ tracker: of }) => of),
            1.2,
          ),
          atMost(
            `wall time an item, ${LARGE} : ${SMALL}`,
            ratio(({ wall }) => wall),
            1.2,
          ),
        ],
        figures: { [`clips_${SMALL}`]: inFigures(small), [`clips_${LARGE}`]: inFigures(large) },
      };
    });
  },
};

/** Measured times, in ms. */
interface Measured {
  /** Time between confirmed acknowledgements of the same request, in a worker with queued items. */
  readonly turns: readonly number[];
  /** Time per item, from upload to the end of the request. */
  readonly wall: number;
  /** Processor time per item in all services and servers. */
  readonly cpu: number;
  readonly tracker: number;
}

function inFigures(measured: readonly Measured[]): object {
  const of = (value: (m: Measured) => number): number => roundToMicro(median(measured.map(value)));
  return {
    turn: summarize(measured.flatMap(({ turns }) => turns)),
    wall_an_item: of(({ wall }) => wall),
    cpu_an_item: of(({ cpu }) => cpu),
    tracker_cpu_an_item: of(({ tracker }) => tracker),
  };
}

interface Load {
  readonly clips: number;
  readonly times: number;
  readonly work: Peer;
  readonly tracker: Peer;
  readonly all: readonly { readonly pid: number }[];
}

/** Measures sequential requests. */
async function measureRequests({ store, bus }: Instance, { clips, times, work, tracker, all }: Load): Promise<Measured> {
  const cpuOfAll = (): number => all.reduce((sum, { pid }) => sum + readCpuTime(pid), 0);
  const before = { at: now(), cpu: cpuOfAll(), tracker: readCpuTime(tracker.pid) };
  const turns: number[] = [];
  for (let request = 0; request < times; request += 1) {
    const id = randomUUID();
    const end = waitForEnd(bus, id);
    await store.put(requestPrefix(id) + pathOf(kinds.input, { file: `${clips}.json` }), id);
    let previous: number | undefined;
    for (let clip = 1; clip <= clips; clip += 1) {
      const { at } = await Promise.race([work.next('acknowledged'), failing(end)]);
      if (previous !== undefined) turns.push(at - previous);
      previous = at;
    }
    await end;
  }
  const items = clips * times;
  return {
    turns,
    wall: (now() - before.at) / items,
    cpu: (cpuOfAll() - before.cpu) / items,
    tracker: (readCpuTime(tracker.pid) - before.tracker) / items,
  };
}

/** Rejects if the request fails, and never resolves. */
async function failing(end: Promise<unknown>): Promise<never> {
  await end;
  return new Promise<never>(() => undefined);
}
