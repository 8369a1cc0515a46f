import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { computeSha256 } from '../../../shared/store/store.ts';
import { start } from '../../support/harness/runtime.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import type { Stack } from '../../support/stack.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { allEnded, waitUntil, LINES, submit, artifacts, type Request } from './load.ts';

let before: BeforeItem | undefined;
const graph = tinyGraph((...args) => before?.(...args));

let cluster: Cluster;
let admin: Stack;
beforeAll(async () => {
  cluster = await openCluster(graph, { servers: 1, drives: 4 });
  admin = await cluster.as('admin');
  for (const name of ['relay', 'tracker', 'split-lines', 'uppercase']) await start(await cluster.as(name), graph, name);
});

async function take(drive: string): Promise<void> {
  await rename(drive, `${drive}.away`);
  await writeFile(drive, ''); // MinIO would create a missing directory and use it as a new drive
}

async function giveBack(drive: string): Promise<void> {
  await rm(drive);
  await rename(`${drive}.away`, drive);
}

interface Healed {
  readonly type: string;
  readonly before?: { readonly drives: readonly { readonly state: string }[] };
}

/** Heals the bucket. @returns Number of objects that were incomplete on a drive. */
async function heal(): Promise<number> {
  const lines = (await cluster.mc('admin', 'heal', '--recursive', '--json', `fave/${admin.store.bucket}`)).trim().split('\n');
  const objects = lines.map((line) => JSON.parse(line) as Healed).filter(({ type }) => type === 'object');
  expect(objects).not.toEqual([]);
  return objects.filter(({ before: was }) => was?.drives.some(({ state }) => state !== 'ok')).length;
}

const keysOf = (requests: readonly Request[]): string[] =>
  requests.flatMap(({ id }) => Object.keys(artifacts).map((path) => `requests/${id}/${path}`));

/** Returns whether a drive has its part of an object. */
function holds(drive: string, key: string): boolean {
  return existsSync(join(drive, admin.store.bucket, key, 'xl.meta'));
}

test('loses nothing if a drive is removed under load and heals it after its return', { timeout: 240_000 }, async () => {
  const [lost = '', second = '', third = ''] = cluster.drives;
  let taken: Promise<void> | undefined;
  let attempts = 0;
  before = () => {
    if (++attempts === 3) taken = take(lost);
  };
  const earlier = await submit(admin, 3);
  await waitUntil(() => taken !== undefined);
  await taken;
  const meanwhile = await submit(admin, 3);
  await allEnded([...earlier, ...meanwhile]);
  for (const key of keysOf(meanwhile)) expect([key, holds(`${lost}.away`, key)]).toEqual([key, false]);
  const later = await submit(admin, 3);
  await giveBack(lost);
  const all = [...earlier, ...meanwhile, ...later];
  await allEnded(all);
  for (const request of all) {
    expect(await request.ended()).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { uppercase: { expected: LINES, failed: 0 } },
    });
    expect(await request.artifacts()).toEqual(artifacts);
    expect([await request.ends(), (await request.progress('uppercase')).length]).toEqual([1, LINES]);
  }

  // MinIO repairs known damage automatically; healing finds the rest.
  await cluster.shell(markedBlocks('tested')['cluster-heal'] ?? 'false');
  for (const key of keysOf(all)) expect([key, holds(lost, key)]).toEqual([key, true]);
  expect(await heal()).toBe(0);
  // Two of four drives are sufficient for reads, including the healed one.
  await take(second);
  await take(third);
  for (const { id } of all)
    for (const [path, sha256] of Object.entries(artifacts))
      expect(computeSha256((await admin.store.getText(`requests/${id}/${path}`))?.text ?? '')).toBe(sha256);
});
