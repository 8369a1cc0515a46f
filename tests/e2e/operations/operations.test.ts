import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test, vi } from 'vitest';
import { markedBlocks } from '../../support/documented-commands.ts';
import { fave } from '../../support/harness/run-cli.ts';
import { readStoredMessages, WAIT } from '../../support/harness/runtime.ts';
import { onTestFileEnd, createOwnStack, type Stack } from '../../support/stack.ts';
import { createShell } from './document.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const blocks = markedBlocks('tested');
const run = new Set<string>();
const audited: string[] = [];
const input = 'fave/fave-artifacts/requests/my-video/input/video.mp4';

let stack: Stack;
const home = createTempDir();
let sink: Server;
let shell: (block: string) => Promise<string>;

beforeAll(async () => {
  sink = createServer((request, response) => {
    text(request).then(
      (body) => (audited.push(body), response.end()),
      () => undefined, // the store was killed half-way
    );
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  onTestFileEnd(() => {
    sink.close();
    sink.closeAllConnections();
  });
  stack = await createOwnStack();
  const instance = { FAVE_DATA_DIR: stack.dataDir, PATH: process.env['PATH'] };
  const env = JSON.parse((await fave(['env', '--json'], { env: instance })).stdout) as Record<string, string>;
  const AUDIT_URL = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
  shell = createShell(home, { ...env, AUDIT_URL, ID: 'my-video' });
  // Larger than one part of mc: a server-side copy then has another etag.
  await writeFile(join(home, 'video.mp4'), Buffer.alloc(65 * 1024 ** 2, 'video'));
});

/** Runs a block of the document unchanged. */
function follow(name: string): Promise<string> {
  run.add(name);
  return shell(blocks[name] ?? `echo "the document has no ${name}" >&2; false`);
}

const key = (path: string): string => `requests/my-video/${path}`;
const textOf = async (path: string): Promise<string | undefined> => (await stack.store.getText(key(path)))?.text;
const headOf = async () => {
  const found = await stack.store.head(key('input/video.mp4'));
  return found && [found.etag, found.size, found.headers['x-amz-meta-fave-query']];
};

test('restores a backup with its etag and options', { timeout: 60_000 }, async () => {
  await shell(`mc cp --quiet --attr 'fave-query=coffee cup' "$HOME/video.mp4" ${input}`);
  await stack.store.put(key('stage-grep/clip_0001/match.json'), 'first');
  const head = await headOf();
  expect(head).toEqual([expect.stringMatching(/-5$/), 65 * 1024 ** 2, 'coffee cup']);
  await follow('backup');
  await shell('mc rm --quiet --recursive --versions --force fave/fave-artifacts/requests/my-video/');
  expect(await headOf()).toBeUndefined();
  await follow('restore');
  expect([await headOf(), await textOf('stage-grep/clip_0001/match.json')]).toEqual([head, 'first']);
});

test('restores a deleted input', { timeout: 60_000 }, async () => {
  const head = await headOf();
  await shell(`mc rm --quiet ${input}`);
  expect(await headOf()).toBeUndefined();
  await follow('undo');
  expect(await headOf()).toEqual(head);
});

test('restores a request as of a point in time', { timeout: 60_000 }, async () => {
  await follow('backup');
  // Versions have a resolution of one second: the point in time is after the backup and before the next change.
  const second = (): number => Math.floor(Date.now() / 1_000);
  const next = async (): Promise<void> => {
    const now = second();
    await vi.waitUntil(() => second() > now, WAIT);
  };
  await next();
  await follow('moment');
  await next();
  await stack.store.put(key('stage-grep/clip_0001/match.json'), 'second');
  await follow('backup');
  expect(await shell('mc cat backup/fave-backup/requests/my-video/stage-grep/clip_0001/match.json')).toBe('second');
  await follow('rewind');
  expect(await textOf('stage-grep/clip_0001/match.json')).toBe('first');
});

test('restores a whole backup without announcements, and the notification rules', { timeout: 60_000 }, async () => {
  await shell('echo saved | mc pipe --quiet backup/fave-backup/requests/my-video/stage-grep/clip_0002/match.json');
  await follow('restore-all');
  expect(await textOf('stage-grep/clip_0002/match.json')).toBe('saved\n');
  const notifications = JSON.stringify(await readStoredMessages(stack, 'FAVE_RAW', 'fave.raw.>'));
  expect(notifications).toContain('metadata%2Fcanary'); // by which set-up proves that the rules are back
  expect(notifications).not.toContain('clip_0002');
});

test('restores dead letters', { timeout: 60_000 }, async () => {
  await stack.bus.publish('fave.dlq.stage-grep.my-video', { letter: true }, {});
  await follow('backup-streams');
  await stack.bus.manager.streams.delete('FAVE_DLQ');
  await follow('restore-streams');
  expect(await readStoredMessages(stack, 'FAVE_DLQ', 'fave.dlq.>')).toEqual([{ letter: true }]);
  expect((await stack.bus.manager.consumers.info('FAVE_DLQ', 'tracker-advisories')).name).toBe('tracker-advisories');
});

test('removes incomplete uploads', async () => {
  const { client, bucket } = stack.storeAdmin;
  await client.initiateNewMultipartUpload(bucket, key('input/half.mp4'), {});
  expect(await shell('mc ls --incomplete --recursive fave/fave-artifacts')).toContain('half.mp4');
  await follow('incomplete');
  expect(await shell('mc ls --incomplete --recursive fave/fave-artifacts')).not.toContain('half.mp4');
});

test('reads user and operation from the audit log', async () => {
  await follow('audit');
  await stack.store.put('tmp/audited', 'x');
  const entry = await vi.waitUntil(() => audited.find((body) => body.includes('tmp/audited')), WAIT);
  expect(JSON.parse(entry)).toMatchObject({
    api: { name: 'PutObject', bucket: 'fave-artifacts', object: 'tmp/audited', statusCode: 200 },
    accessKey: 'fave-admin',
  });
  expect(entry).not.toContain(stack.config.store.secretKey);
});

test('processes a notification forwarded from AWS', { timeout: 60_000 }, async () => {
  await shell('mc event rm --force fave/fave-artifacts');
  const { etag } = await stack.store.put('requests/from-aws/input/a b.mp4', '\0\0\0\x14ftypisom\0\0\0\0isom');
  const object = { key: 'requests/from-aws/input/a+b.mp4', size: 20, eTag: etag, sequencer: '00' };
  const record = { eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'fave-artifacts' }, object } };
  await writeFile(join(home, 'notification.json'), JSON.stringify({ Records: [record] }));
  await stack.startServices(['relay']);
  await shell(`cd "$HOME"\n${blocks['bridge'] ?? 'false'}`);
  run.add('bridge');
  await vi.waitUntil(
    async () => (await readStoredMessages(stack, 'FAVE_LANDED', 'fave.landed.input.*.from-aws')).length === 1,
    WAIT,
  );
});

test('runs every marked block of the document', () => {
  const here = Object.keys(blocks).filter((name) => !name.startsWith('cluster-')); // those in tests/resilience/cluster/
  expect([...run].sort()).toEqual(here.sort());
});
