import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startNats } from '../../../infra/servers/nats.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { onTestFileEnd } from '../../support/stack.ts';
import { waitUntil } from './load.ts';
import { createTempDir } from '../../support/temp-dir.ts';

interface Server {
  /** Names of the servers with a route. */
  peers(): Promise<string[]>;
  log(): Promise<string>;
}

const PASSWORD = 'secret-of-the-routes';
const names = ['nats-1', 'nats-2', 'nats-3'];
const dir = createTempDir();
let addresses: string[];
let servers: Server[];

type Ports = Awaited<ReturnType<typeof freePorts>>;

/** Starts a server with the addresses of the three servers. */
async function startServer(name: string, { nats: port, monitor, console: routes }: Ports, password: string): Promise<Server> {
  const { natsServer: program } = await ensureServers(() => undefined);
  const dataDir = join(dir, name);
  const cluster = { name, port: routes, routes: addresses, password };
  const starting = startNats({ program, port, monitor, dataDir, users: {}, passwords: {}, cluster });
  onTestFileEnd(async () => (await starting).stop(5_000));
  await starting;
  return {
    peers: async () => {
      const answer = await fetch(`http://127.0.0.1:${monitor}/routez`);
      const found = ((await answer.json()) as { routes?: { remote_name: string }[] }).routes ?? [];
      return [...new Set(found.map(({ remote_name }) => remote_name))].sort();
    },
    log: () => readFile(join(dataDir, 'logs', 'nats-server.log'), 'utf8'),
  };
}

const others = (name: string, all: readonly string[]): string[] => all.filter((each) => each !== name);

beforeAll(async () => {
  const ports = await Promise.all(names.map(freePorts));
  addresses = ports.map(({ console: port }) => `127.0.0.1:${port}`);
  servers = await Promise.all(names.map((name, n) => startServer(name, ports[n]!, PASSWORD)));
});

/** Waits until all servers of a cluster have routes to each other. */
async function joined(members: readonly Server[], all: readonly string[]): Promise<void> {
  for (const [n, server] of members.entries())
    await waitUntil(async () => (await server.peers()).join() === others(all[n]!, all).join());
}

test.each([
  ['no password', ''],
  ['another password', 'a-guess'],
])('rejects a fourth server with %s', async (what, password) => {
  await joined(servers, names);
  const intruder = await startServer(`intruder with ${what}`.replaceAll(' ', '-'), await freePorts(), password);
  const refused = async (): Promise<number> => (await intruder.log()).match(/'?Authorization Violation'?/gi)?.length ?? 0;
  await waitUntil(async () => (await refused()) >= names.length);
  expect(await intruder.peers()).toEqual([]);
  for (const [n, server] of servers.entries()) expect(await server.peers()).toEqual(others(names[n]!, names));
});

test('accepts a fourth server with the password', async () => {
  const fourth = await startServer('nats-4', await freePorts(), PASSWORD);
  await joined([...servers, fourth], [...names, 'nats-4']);
});
