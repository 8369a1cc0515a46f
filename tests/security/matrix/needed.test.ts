import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, expect, it, vi } from 'vitest';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { accessKeyOf, storePolicies } from '../../../infra/access/policies.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { kinds } from '../../../schemas/kinds.ts';
import type { CloudEvent, LandedMessage, Transcript } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import { announce } from '../../../shared/bus/landed-message.ts';
import { subjects } from '../../../shared/bus/topology.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { pathOf, requestPrefix } from '../../../shared/pipeline/keys.ts';
import { createStore, digestFile } from '../../../shared/store/store.ts';
import { chirp, createPicture, generateMedia, h264, writeMedia } from '../../support/media.ts';
import { fave } from '../../support/harness/run-cli.ts';
import { exhaustDeliveries, readStoredMessages } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { matches } from './bus-subjects.ts';
import { traceBus, traceStore, type BusUse, type StoreCall } from './access-log.ts';

/** Timeout for a step of the run on a slow machine, in milliseconds. */
const WAIT = { timeout: 120_000, interval: 100 };

let stack: Stack;
let secrets: Secrets;
let calls: StoreCall[];
let uses: Map<string, BusUse>;

const path = generateMedia('video.mp4', ...createPicture({ seconds: 3 }), ...chirp(3), ...h264);

/** Waits for a lifecycle event of a request. */
async function received(id: string, event: string): Promise<void> {
  await vi.waitUntil(
    async () => (await readStoredMessages<CloudEvent>(stack, 'FAVE_REQUESTS', subjects.lifecycle(id, event))).length > 0,
    WAIT,
  );
}

/** Uploads the video as the input of a request. */
async function submit(id: string, options: Readonly<Record<string, string>> = {}): Promise<void> {
  const store = createStore({ ...stack.config.store, accessKey: 'submitter', secretKey: secrets.store['submitter'] ?? '' });
  await store.upload(
    `${requestPrefix(id)}input/video.mp4`,
    { path, ...(await digestFile(path)) },
    { headers: encodeOptions(options) },
  );
  store.close();
}

/** Runs the commands with which people read the state of requests and streams, with the credentials of the roles for them. */
async function read(id: string): Promise<void> {
  const env = {
    ...stack.environment,
    ARTIFACT_ACCESS_KEY: 'submitter',
    ARTIFACT_SECRET_KEY: secrets.store['submitter'] ?? '',
    NATS_USER: 'viewer',
    NATS_PASSWORD: secrets.bus['viewer'] ?? '',
  };
  for (const args of [['ls'], ['status', id], ['dlq', 'ls'], ['result', id]]) {
    const { code, stderr } = await fave(args, { env });
    expect([args, code, stderr]).toEqual([args, 0, '']);
  }
  await fave(['watch'], { env, signal: AbortSignal.timeout(2_000) });
  const { nats } = await ensureServers(() => undefined);
  const run = promisify(execFile);
  for (const args of [
    ...[
      ['account', 'info'],
      ['stream', 'ls'],
      ['stream', 'ls', '--names'],
      ['stream', 'info', 'FAVE_REQUESTS', '--json'],
    ],
    ...[
      ['stream', 'get', 'FAVE_DLQ', '1'],
      ['consumer', 'ls', 'FAVE_LANDED'],
      ['consumer', 'ls', 'FAVE_LANDED', '--names'],
    ],
    ['consumer', 'info', 'FAVE_LANDED', 'tracker', '--json'],
    ...['fave.requests.>', 'fave.landed.>', 'fave.dlq.>'].map((subject) => ['sub', subject, '--count', '1', '--wait', '100ms']),
  ])
    await run(nats, ['--inbox-prefix', '_INBOX_viewer', ...args], {
      env: { ...env, HOME: stack.dataDir, PATH: process.env['PATH'] },
    });
}

/** Uploads a file in parts and aborts. */
async function abortUpload(): Promise<void> {
  const store = createStore({ ...stack.config.store, accessKey: 'submitter', secretKey: secrets.store['submitter'] ?? '' });
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort(new Error('stopped')) };
  await expect(store.uploadInParts(`${requestPrefix(uniqueId('aborted'))}input/video.mp4`, path, options)).rejects.toThrow(
    'stopped',
  );
  store.close();
}

/** Runs requests that use every permission, and records the operations of every role. */
beforeAll(async () => {
  stack = await createOwnStack();
  secrets = (await readSecrets(stack.dataDir))!;
  calls = await traceStore(stack);
  const readUses = await traceBus(stack);
  const settings = { FAVE_CANARY_INTERVAL_SECONDS: '1', FAVE_SWEEP_INTERVAL_SECONDS: '1' };
  const [, tracker] = await stack.startServices(['relay', 'tracker'], settings);

  // No stage is running yet: a request times out, a worker is lost, and a sweep finds an object without an event.
  const timedOut = uniqueId('timed-out');
  await submit(timedOut, { timeout: '1' });
  await received(timedOut, 'failed');
  const landed: LandedMessage = {
    ...{ kind: 'audio', lane: 'first', request_id: timedOut, key: requestPrefix(timedOut) + pathOf(kinds.audio) },
    ...{ etag: 'x', size: 1, run: 1, options: {}, attributes: {} },
  };
  await announce(stack.bus, stack.store.bucket, landed);
  await exhaustDeliveries(stack, 'stage-librosa', async () => {
    return (await readStoredMessages(stack, 'FAVE_DLQ', subjects.deadLetter('stage-librosa', timedOut))).length > 0;
  });
  await stack.store.put(requestPrefix(uniqueId('swept')) + pathOf(kinds.audio), 'x');
  await stack.store.put(`${requestPrefix(uniqueId('misplaced'))}video.mp4`, 'x');

  // A request, the same content again, and a second run.
  await stack.startServices(
    graph.stages.map(({ name }) => name),
    settings,
  );
  const [first, second] = [uniqueId('first'), uniqueId('second')];
  await submit(first, { speech: 'none', query: 'hello' });
  await received(first, 'completed');
  await submit(second, { speech: 'none', query: 'hello' });
  await received(second, 'completed');

  // A clip in which the words are spoken.
  const spoken: Transcript = {
    ...{ engine: 'none', model: null, language: 'en', start: 0, end: 3, text: 'hello' },
    utterances: [{ start: 0, end: 1, text: 'hello', words: [{ start: 0, end: 1, text: 'hello' }] }],
  };
  await stack.store.put(requestPrefix(first) + pathOf(kinds.transcript, { indices: { clip: 1 } }), JSON.stringify(spoken));
  const announced = new Promise<LandedMessage>((resolve) => {
    const subject = subjects.landed('transcript', '*', first);
    stack.bus.connection.subscribe(subject, { callback: (_, message) => resolve(message.json<LandedMessage>()) });
  });
  await stack.bus.connection.flush();
  const match = requestPrefix(first) + pathOf(kinds.match, { indices: { clip: 1 } });
  await vi.waitUntil(() => stack.store.head(match), WAIT);
  // A stage announces the outputs of a settled item again.
  await announce(stack.bus, stack.store.bucket, await announced, { nonce: 'again' });

  // Invalid objects: every stage fails once.
  const invalid = uniqueId('invalid');
  await submit(invalid, { query: 'hello' });
  await received(invalid, 'accepted');
  for (const consumes of graph.kinds.filter((kind) => kind.announced && kind !== kinds.canary)) {
    const id = consumes === kinds.input ? uniqueId('broken') : invalid;
    const key = requestPrefix(id) + pathOf(consumes, { indices: { batch: 9, clip: 9 }, file: 'video.mp4' });
    // The relay reads the first bytes of an input.
    const file = consumes === kinds.input ? writeMedia('cut.mp4', readFileSync(path).subarray(0, 1_000)) : writeMedia('x', 'x');
    await stack.store.upload(key, { path: file, ...(await digestFile(file)) }, {});
  }
  await stack.store.put(`${requestPrefix(uniqueId('hidden'))}input/.DS_Store`, 'x');
  for (const { name } of graph.stages)
    await vi.waitUntil(
      async () => (await readStoredMessages(stack, 'FAVE_DLQ', subjects.deadLetter(name, '*'))).length > 0,
      WAIT,
    );

  expect(await fave(['replay', second, '--wait'], { env: stack.environment })).toMatchObject({ code: 0 });
  await read(second);
  await abortUpload();
  await fetch(`http://127.0.0.1:${tracker?.http}/metrics`);
  uses = await readUses();
}, 600_000);

/** Operations of the S3 API by the permission that they need. */
const operationsOf: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['GetObject', 'HeadObject'],
  's3:PutObject': ['PutObject', 'CopyObject', 'NewMultipartUpload', 'PutObjectPart', 'CompleteMultipartUpload'],
  's3:DeleteObject': ['DeleteObject'],
  's3:AbortMultipartUpload': ['AbortMultipartUpload'],
};

/** Permissions that this run does not use. */
const UNUSED: readonly string[] = [
  // MinIO subscribes at its start, before the trace.
  'minio subscribe _INBOX.>',
  // Items that are queued again after a long outage of the store (tests/shared/runtime/attempt/attempt-result.test.ts).
  ...graph.stages.map(({ name, consumes }) => `${name} publish ${subjects.landed(consumes.name, '*', '*')}`),
];

/** Removes the lane from a subject. Only long requests use the last lanes. */
const withoutLane = (subject: string): string => subject.replace(/-(first|second|third|rest)\b/, '');

it('denies no operation of a service', () => {
  const roles = Object.keys(storePolicies(graph, 'bucket')).map(accessKeyOf);
  expect(calls.filter(({ accessKey, status }) => roles.includes(accessKey) && status === 403)).toEqual([]);
});

it('uses every permission in the store', async () => {
  const policies = Object.entries(storePolicies(graph, 'bucket'));
  const findUnused = (): string[] =>
    policies.flatMap(([role, { Statement }]) => {
      const own = calls.filter(({ accessKey }) => accessKey === accessKeyOf(role));
      return Statement.filter(({ Effect, Resource }) => Effect === 'Allow' && Resource).flatMap(({ Action, Resource = [] }) =>
        Resource.flatMap((arn) => {
          const pattern = new RegExp(
            `^${arn
              .replace(/^arn:aws:s3:::bucket\/?/, '')
              .replaceAll('.', '\\.')
              .replaceAll('*', '.*')}$`,
          );
          const isUsed = Action.every((action) =>
            // Without the permission to list, the store would respond to a missing object with 403.
            action === 's3:ListBucket'
              ? own.some(({ operation, status }) => status === 404 || operation.startsWith('ListObjects'))
              : own.some(({ operation, key }) => operationsOf[action]?.includes(operation) && pattern.test(key)),
          );
          return isUsed ? [] : [`${role} ${Action.join()} ${arn}`];
        }),
      );
    });
  // Stages write memo entries in the background, and the trace has a delay.
  await expect.poll(findUnused, { timeout: 20_000 }).toEqual([]);
});

it('uses every permission on the bus', () => {
  const { admin: _, ...users } = busPermissions(graph);
  const unused = Object.entries(users).flatMap(([user, permissions]) =>
    (['publish', 'subscribe'] as const).flatMap((way) => {
      const used = [...(uses.get(user)?.[way] ?? [])];
      return permissions[way]
        .filter((pattern) => !used.some((subject) => matches(withoutLane(pattern), withoutLane(subject))))
        .map((pattern) => `${user} ${way} ${pattern}`);
    }),
  );
  expect(unused.sort()).toEqual([...UNUSED].sort());
});
