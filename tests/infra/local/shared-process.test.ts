import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { readInstance } from '../../../infra/instance/record.ts';
import { launch } from '../../../infra/local/launcher.ts';
import { graph } from '../../../services/pipeline.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { subjects } from '../../../shared/bus/topology.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { createStore, digestFile } from '../../../shared/store/store.ts';
import '../../support/built-servers.ts';
import { chirp, generateMedia, h264, createPicture } from '../../support/media.ts';
import { onTestFileEnd } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const heavy = ['stage-deepspeech', 'stage-object-detector'];
const shared = serviceNames(graph).filter((name) => !heavy.includes(name));
const dataDir = createTempDir();
let instance: Awaited<ReturnType<typeof launch>>;

// The services log no ready line at this level.
beforeAll(async () => {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, FAVE_LOG_LEVEL: 'warn', FAVE_ACK_WAIT_SECONDS: '3' };
  const services = serviceNames(graph);
  chmodSync(dataDir, 0o755);
  instance = await launch({ dataDir, ports: await freePorts(), graph, services, env, progress: () => undefined });
  onTestFileEnd(() => instance.stop());
});

async function pidsOf(names: readonly string[]): Promise<Set<number>> {
  const { processes = [] } = (await readInstance(dataDir)) ?? {};
  return new Set(processes.filter(({ name, http }) => names.includes(name) && http !== undefined).map(({ pid }) => pid));
}

it('becomes ready with FAVE_LOG_LEVEL=warn and runs the light services in one process', async () => {
  expect(instance.record.state).toBe('ready');
  expect((await pidsOf(shared)).size).toBe(1);
  expect((await pidsOf(serviceNames(graph))).size).toBe(1 + heavy.length);
});

it('serves the metrics of each service on its own port, and process metrics once', async () => {
  const services = instance.record.processes.filter(({ name }) => shared.includes(name));
  expect(new Set(services.map(({ http }) => http)).size).toBe(shared.length);
  const texts = await Promise.all(services.map(async ({ http }) => (await fetch(`http://127.0.0.1:${http}/metrics`)).text()));
  for (const [index, { name }] of services.entries()) expect(texts[index]).toContain(`service="${name}"`);
  const resident = texts.flatMap((text) => text.match(/^process_resident_memory_bytes\{.*\}/gm) ?? []);
  expect(resident).toEqual(['process_resident_memory_bytes{service="services"}']);
});

it('completes a request although the shared process is killed', async () => {
  const bus = await connectBus(instance.servers.bus, 'test');
  const store = createStore(instance.servers.store);
  onTestFileEnd(() => bus.close());
  onTestFileEnd(() => store.close());
  // The first event is published again, with the same id, after the kill.
  const events = new Map<string, string>();
  const received = (name: string): boolean => [...events.values()].includes(name);
  bus.connection.subscribe(subjects.lifecycle('killed', '*'), {
    callback: (_, message) => {
      events.set(message.json<{ id: string }>().id, message.subject.split('.').at(-1) ?? '');
    },
  });
  await bus.connection.flush();
  const path = generateMedia('killed.mp4', ...createPicture(), ...chirp(), ...h264, '-shortest');
  const [before = 0] = await pidsOf(shared);
  await store.upload(
    'requests/killed/input/killed.mp4',
    { path, ...(await digestFile(path)) },
    { headers: encodeOptions({ speech: 'none' }) },
  );
  await vi.waitUntil(() => received('accepted'), WAIT);
  process.kill(before, 'SIGKILL');
  await vi.waitUntil(() => received('completed') || received('failed'), WAIT);
  expect([...events.values()]).toEqual(['accepted', 'completed']);
  const after = await pidsOf(shared);
  expect(after.size).toBe(1);
  expect(after).not.toContain(before);
});

it('closes the data directory and every file below it to other users', () => {
  const paths = ['', ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' })];
  expect(paths).toEqual(expect.arrayContaining(['secrets.json', 'nats.conf', 'instance.json', 'minio', 'logs/minio.log']));
  const open = paths.filter((path) => {
    // MinIO removes queued notifications during the test.
    const entry = lstatSync(join(dataDir, path), { throwIfNoEntry: false });
    return entry && !entry.isSymbolicLink() && (entry.mode & 0o077) !== 0;
  });
  expect(open).toEqual([]);
});

it('passes no secret to a process as an argument', async () => {
  const { bus, store } = (await readSecrets(dataDir))!;
  const { launcher, processes } = (await readInstance(dataDir))!;
  const commands = [launcher, ...processes].map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  expect(commands.filter((command) => /minio|nats-server|service\.mjs/.test(command)).length).toBeGreaterThan(3);
  for (const secret of [...Object.values(bus), ...Object.values(store)]) expect(commands.join('\n')).not.toContain(secret);
});
