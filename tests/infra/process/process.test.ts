import { readFile, rm, stat, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { identityOf, isRunning } from '../../../infra/process/identity.ts';
import { withLock } from '../../../infra/process/lock.ts';
import { assertFree, freePorts, portsFrom, type Ports } from '../../../infra/deployment/ports.ts';
import { startProcess, waitUntilReady, logOf, type RunningProcess } from '../../../infra/process/process.ts';
import { ensureSecrets } from '../../../infra/access/secrets.ts';
import { supervise, type ProcessChange } from '../../../infra/process/supervisor.ts';
import { createTempDir } from '../../support/temp-dir.ts';

let dir: string;
beforeAll(() => {
  dir = createTempDir();
});

function program(name: string, script: string) {
  return { name, command: process.execPath, args: ['-e', script], env: {}, cwd: dir, log: join(dir, `${name}.log`) };
}

const logged = (child: RunningProcess, text: string) => () => logOf(child).then((log) => (log.includes(text) ? true : undefined));

describe('startProcess', () => {
  it('kills a process that ignores SIGTERM after the grace period', async () => {
    const child = await startProcess(
      program('stubborn', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'),
    );
    await waitUntilReady(child, 10_000, logged(child, 'up'));
    expect(await child.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isRunning({ ...identityOf(child.pid) })).toBe(false);
  });

  it('reports the end of the log of a process that exits before it is ready', async () => {
    const child = await startProcess(program('broken', 'console.error("the disk is full"); process.exit(3)'));
    await expect(waitUntilReady(child, 10_000, () => Promise.resolve(undefined))).rejects.toThrow(
      /broken exited \(exit code 3\)[^]*the disk is full/,
    );
  });

  it('kills the children of a process that has exited, and does not signal it again', async () => {
    const script =
      'console.log(`left ${require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" }).pid} behind`)';
    const child = await startProcess({
      ...program('parent', `${script}; process.exit()`),
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const exit = await child.exited;
    const left = identityOf(Number(/left (\d+) behind/.exec(await logOf(child))?.[1]));
    await vi.waitUntil(() => !isRunning(left), { timeout: 10_000 });
    const signalled = vi.spyOn(process, 'kill');
    onTestFinished(() => signalled.mockRestore());
    expect(await child.stop(0)).toEqual(exit);
    expect(signalled.mock.calls).toEqual([]);
  });

  it('names a program that does not exist', async () => {
    await expect(startProcess({ ...program('missing', ''), command: join(dir, 'nothing') })).rejects.toThrow(
      'missing cannot be started',
    );
  });

  it('distinguishes processes that had the same pid', () => {
    const self = identityOf(process.pid);
    expect(isRunning(self)).toBe(true);
    expect(isRunning({ ...self, started: `${self.started}0` })).toBe(false);
  });
});

describe('supervise', () => {
  const service = (name: string, script: string) => ({ ...program(name, script), services: [name] });
  const ready = (name: string): string =>
    `process.send({ service: "${name}", type: "ready", time: Date.now(), http: process.pid }); setInterval(() => {}, 1000)`;
  const quiet = { progress: () => undefined, onChange: () => undefined, graceMs: 5_000 };

  it('restarts a service that was killed, but not one that was stopped', async () => {
    const lines: string[] = [];
    const restarted = Promise.withResolvers();
    const changes: string[] = [];
    const onChange = ({ type }: ProcessChange): void => {
      changes.push(type);
      if (changes.filter((each) => each === 'ready').length === 2) restarted.resolve(undefined);
    };
    const spec = service('service', ready('service'));
    const supervised = await supervise(spec, { ...quiet, progress: (line) => lines.push(line), onChange });
    const first = supervised.http() ?? 0;
    process.kill(first, 'SIGKILL');
    await restarted.promise;
    const second = supervised.current()?.pid ?? 0;
    expect(second).not.toBe(first);
    expect(supervised.http()).toBe(second);
    expect(lines).toEqual([expect.stringContaining('service exited (killed by SIGKILL); restarting it in 0.5 s')]);
    await supervised.stop();
    expect(isRunning(identityOf(second))).toBe(false);
    expect(lines).toHaveLength(1);
    expect(changes).toEqual(['started', 'message', 'ready', 'crashed', 'started', 'message', 'ready']);
  });

  it('waits until all services of a process are ready', async () => {
    const script = `${ready('a')}; setTimeout(() => { process.send({ service: "b", type: "ready", time: 0, http: 7 }) }, 300)`;
    const supervised = await supervise({ ...program('both', script), services: ['a', 'b'] }, quiet);
    expect([supervised.http('a'), supervised.http('b')]).toEqual([supervised.current()?.pid, 7]);
    await supervised.stop();
  });

  it('retries a restart until the program exists again', async () => {
    const [command, lines]: [string, string[]] = [join(dir, 'program'), []];
    await symlink(process.execPath, command);
    const spec = { ...service('lost', ready('lost')), command };
    const supervised = await supervise(spec, { ...quiet, progress: (line) => lines.push(line) });
    const first = supervised.current()?.pid ?? 0;
    await rm(command);
    process.kill(first, 'SIGKILL');
    await vi.waitUntil(() => lines.some((line) => line.includes('cannot be started')), { timeout: 10_000 });
    await symlink(process.execPath, command);
    await vi.waitUntil(() => ![undefined, first].includes(supervised.http()), { timeout: 10_000 });
    await supervised.stop();
  });

  it('rejects with the end of the log when the first start fails', async () => {
    await expect(supervise(service('hopeless', 'console.log("no model"); process.exit(1)'), quiet)).rejects.toThrow(
      /hopeless exited[^]*no model/,
    );
  });
});

describe('withLock', () => {
  it('takes over the lock of a dead process', async () => {
    const child = await startProcess(
      program(
        'holder',
        `
      require('node:fs').mkdirSync('dead');
      const started = require('node:fs').readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ')[19];
      require('node:fs').writeFileSync('dead/holder.json', JSON.stringify({ pid: process.pid, started }));`,
      ),
    );
    await child.exited;
    expect(await withLock(join(dir, 'dead'), () => Promise.resolve('mine'))).toBe('mine');
  });
});

describe('ports', () => {
  const listening = async (port: number): Promise<Server> => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.once('error', () => resolve()).listen(port, '127.0.0.1', resolve));
    return server;
  };

  it('names a port in use and the option that selects another', async () => {
    const server = await listening(0);
    const { port } = server.address() as { port: number };
    await expect(assertFree({ minio: port })).rejects.toThrow(new RegExp(`port ${port} \\(minio\\).*--port-base`));
  });

  it('reserves four free ports in a row below the ephemeral range', async () => {
    // All calls start with the same block.
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    onTestFinished(() => void vi.restoreAllMocks());
    const [one, two] = await Promise.all([freePorts(), freePorts()]);
    expect([one, two]).toEqual([portsFrom(one.minio), portsFrom(two.minio)]);
    const [lower, upper] = [one, two].sort((a, b) => a.minio - b.minio) as [Ports, Ports];
    expect(lower.monitor).toBeLessThan(upper.minio);
    // The blocks are reserved for other callers.
    for (const { monitor } of [one, two]) await expect(assertFree({ monitor: monitor + 1 })).rejects.toThrow('in use');
    // Another process holds the reservation port of the next block.
    const taken = upper.monitor + 4;
    await listening(taken);
    expect((await freePorts()).minio).toBeGreaterThan(taken);

    const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768');
    expect(upper.monitor).toBeLessThan(Number.parseInt(range));
  });
});

describe('ensureSecrets', () => {
  it('keeps secrets when roles are added, readable only by their owner', async () => {
    const first = await ensureSecrets(dir, { bus: ['a'], store: [] });
    const second = await ensureSecrets(dir, { bus: ['a', 'b'], store: ['c'] });
    expect(second.bus['a']).toBe(first.bus['a']);
    expect(second.bus['b']).toMatch(/^[0-9a-f]{36}$/);
    const { mode } = await stat(join(dir, 'secrets.json'));
    expect(mode & 0o077).toBe(0);
  });
});
