import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { root } from '../../../infra/process/paths.ts';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { followStream } from '../../../shared/bus/follow-stream.ts';
import { readStream } from '../../../shared/bus/read-stream.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

const run = promisify(execFile);

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

/** Stores messages about a request; @returns their sequences. */
async function store(request: string, count: number, text = (n: number): object => ({ n })): Promise<number[]> {
  const subject = `fave.requests.${request}.stage.split-lines`;
  const stored = Array.from({ length: count }, (_, n) => stack.bus.publish(subject, text(n), { msgID: randomUUID() }));
  return (await Promise.all(stored)).map(({ seq }) => seq).sort((a, b) => a - b);
}

const selection = (request: string, from?: number) => ({ stream: streams.requests, subject: `fave.requests.${request}.>`, from });

async function read(request: string, from?: number): Promise<number[]> {
  const sequences: number[] = [];
  for await (const { sequence } of readStream(stack.bus, selection(request, from))) sequences.push(sequence);
  return sequences;
}

it('yields the stored messages of a subject, oldest first', async () => {
  await store('other', 1);
  const sequences = await store('many', 1_200);
  expect(await read('many')).toEqual(sequences);
  expect(await read('many', sequences[700])).toEqual(sequences.slice(700));
  expect(await read('none')).toEqual([]);
});

// The server ends a batch after 64 MB.
it('reads batches that the server cuts by size', async () => {
  const sequences = await store('large', 80, (n) => ({ n, filler: 'x'.repeat(900_000) }));
  expect(await read('large')).toEqual(sequences);
});

it('reads on after messages without a body and removed messages', async () => {
  const [first = 0, second = 0] = await store('odd', 2);
  await stack.bus.jetstream.publish('fave.requests.odd.stage.split-lines');
  const [last = 0] = await store('odd', 1);
  await stack.bus.manager.streams.deleteMessage(streams.requests, first);
  expect(await read('odd')).toEqual([second, second + 1, last]);
});

it('follows a stream as a viewer, once and in order', async () => {
  const { bus: passwords } = (await readSecrets(stack.dataDir))!;
  const bus = await connectBus({ ...stack.config.bus, user: 'viewer', password: passwords['viewer'] ?? '' }, 'test');
  onTestFinished(() => bus.close());
  const before = await store('followed', 10);
  const seen: number[] = [];
  let arrived: (() => void) | undefined;
  const stop = await followStream(bus, selection('followed'), ({ sequence }) => {
    seen.push(sequence);
    if (seen.length === 310) arrived?.();
  });
  expect(seen).toEqual(before);
  const all = new Promise<void>((resolve) => (arrived = resolve));
  const later = await store('followed', 300);
  await all;
  await stop();
  expect(seen).toEqual([...before, ...later]);
});

it('ends the reading with the connection, so that the process can end', async () => {
  const program = `
    import { connectBus } from './shared/bus/connection.ts';
    import { followStream } from './shared/bus/follow-stream.ts';
    const bus = await connectBus(JSON.parse(process.env.BUS), 'test');
    await followStream(bus, ${JSON.stringify(selection('abandoned'))}, () => undefined);
    await bus.close();`;
  const env = { PATH: process.env['PATH'], BUS: JSON.stringify(stack.config.bus) };
  await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: root, env, timeout: 20_000 });
});
