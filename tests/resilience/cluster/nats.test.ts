import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fave, lastJson, record } from '../../support/harness/run-cli.ts';
import { tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { start } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { allEnded, waitUntil, LINES, submit, artifacts } from './load.ts';
import { createTempDir } from '../../support/temp-dir.ts';

let before: BeforeItem | undefined;
const graph = tinyGraph((...args) => before?.(...args));

let cluster: Cluster;
let admin: Stack;
beforeAll(async () => {
  cluster = await openCluster(graph, { servers: 3, drives: 1 });
  admin = await cluster.as('admin');
  for (const name of ['relay', 'tracker', 'split-lines', 'uppercase', 'uppercase'])
    await start(await cluster.as(name), graph, name);
});

const infoOf = (stream: string) => admin.bus.manager.streams.info(stream);

test('replicates all streams three times', async () => {
  for (const stream of Object.values(streams)) {
    const { config, cluster: raft } = await infoOf(stream);
    expect([stream, config.num_replicas, raft?.replicas?.length]).toEqual([stream, 3, 2]);
  }
});

/** Waits until all replicas of all streams are current. */
async function waitForReplicas(): Promise<void> {
  for (const stream of Object.values(streams))
    await waitUntil(async () => (await infoOf(stream)).cluster?.replicas?.every(({ current }) => current) ?? false);
}

/** Returns the server that leads a stream. It announces the stored events to the tracker and to clients that watch a request. */
const leaderOf = (stream: string) => async () => (await infoOf(stream)).cluster?.leader;

test.each([
  ['leads the landed messages', leaderOf(streams.landed)],
  ['leads the request events', leaderOf(streams.requests)],
])('loses nothing if the server that %s is killed under load and restarted', { timeout: 240_000 }, async (_, find) => {
  const leader = await find();
  const node = cluster.nodes.find(({ name }) => name === leader)!;
  let killed: Promise<void> | undefined;
  let attempts = 0;
  before = () => {
    if (++attempts === 3) killed = node.kill();
  };
  const earlier = await submit(admin, 4);
  await waitUntil(() => killed !== undefined);
  await killed;
  const meanwhile = await submit(admin, 4);
  await allEnded(meanwhile);
  const survivors = (await infoOf(streams.landed)).cluster;
  expect(survivors?.leader).not.toBe(leader);
  expect(survivors?.replicas?.find(({ name }) => name === leader)).toMatchObject({ current: false });
  const env = { ...admin.environment, NATS_URL: [node, ...cluster.nodes].map(({ url }) => url).join(',') };
  await waitUntil(async () => (await fave(['dlq', 'ls'], { env })).stderr === 'no dead letters\n');

  await node.start();
  const all = [...earlier, ...meanwhile, ...(await submit(admin, 4))];
  await allEnded(all);
  for (const request of all) {
    expect(await request.ended()).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { 'split-lines': { expected: 1, failed: 0 }, uppercase: { expected: LINES, failed: 0 } },
    });
    expect(await request.artifacts()).toEqual(artifacts);
    expect(await request.deadLetters('uppercase')).toEqual([]);
  }
  // All redeliveries have arrived at this point.
  for (const stream of [streams.raw, streams.landed]) await waitUntil(async () => (await infoOf(stream)).state.messages === 0);
  for (const request of all) expect([await request.ends(), (await request.progress('uppercase')).length]).toEqual([1, LINES]);
  await waitForReplicas();
});

const lastServer = (): Promise<string> => Promise.resolve('nats-3');

test.each([
  ['it is connected to', lastServer],
  ['leads the request events', leaderOf(streams.requests)],
])('reports the end of a request to a waiting client if the server that %s is killed', { timeout: 240_000 }, async (_, find) => {
  const dir = createTempDir();
  let reached = false;
  const opened = Promise.withResolvers<undefined>();
  before = () => ((reached = true), opened.promise);

  // The client has the address of one server and learns the others from it.
  const env = { ...admin.environment, NATS_URL: cluster.nodes.at(-1)!.url };
  const [id, interrupted, stdout] = [uniqueId(), new AbortController(), record()];
  // fave submit accepts files with the first bytes of a video.
  const file = join(dir, 'text.mp4');
  await writeFile(file, `\0\0\0\x14ftypisom\n${id}`);
  const watching = fave(['watch', id], { env, signal: interrupted.signal, stdout });
  const lost = await find();
  const submitted = fave(['submit', file, '--id', id, '--wait', '--json'], { env });
  await waitUntil(() => reached && stdout.text().includes('split-lines'));
  const node = cluster.nodes.find(({ name }) => name === lost)!;
  await node.kill();
  opened.resolve(undefined);

  expect(lastJson(await submitted)).toMatchObject({ request_id: id, status: 'completed', errors: [] });
  await waitUntil(() => stdout.text().includes('completed'));
  interrupted.abort();
  expect((await watching).code).toBe(0);
  const lines = stdout.text().trim().split('\n');
  expect(lines.map((line) => line.split(/ +/)[1]).sort()).toEqual([
    'accepted',
    'completed',
    'split-lines',
    'uppercase',
    'uppercase',
  ]);
  await node.start();
  await waitForReplicas();
});
