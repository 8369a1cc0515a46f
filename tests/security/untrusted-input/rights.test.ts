import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { storePolicies, accessKeyOf } from '../../../infra/access/policies.ts';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { kinds, type Kind } from '../../../schemas/kinds.ts';
import { graph } from '../../../services/pipeline.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { memoKey, metadataPaths, pathOf } from '../../../shared/pipeline/keys.ts';
import { createStoreAdmin, type StoreAdmin } from '../../../shared/store/s3/admin.ts';
import {
  ADVISORY_CONSUMER,
  consumerName,
  RELAY_CONSUMER,
  storedSubject,
  streams,
  subjects,
} from '../../../shared/bus/topology.ts';
import { findRefusedRoles } from '../../../infra/setup/access.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const id = uniqueId();
const stages = graph.stages;
const roles = Object.keys(storePolicies(graph, 'bucket'));

let stack: Stack;
let secrets: Secrets;
beforeAll(async () => {
  stack = await createOwnStack();
  secrets = (await readSecrets(stack.dataDir))!;
  // The objects must exist: a missing object would also be refused.
  for (const path of allPaths()) await stack.store.put(`requests/${id}/${path}`, 'x');
});

/** Returns a path of each kind and of each metadata object. */
function allPaths(): string[] {
  return [
    ...graph.kinds.map(pathOfKind),
    metadataPaths.request,
    metadataPaths.state,
    ...stages.map(({ name }) => metadataPaths.receipt(name, 'clip_0001')),
  ];
}

function pathOfKind(kind: Kind): string {
  return pathOf(kind, { indices: { batch: 1, clip: 1, frame: 1 }, file: 'video.mp4' });
}

/** Runs `use` with the store credentials of a role. */
async function as<T>(role: string, use: (store: StoreAdmin) => Promise<T>): Promise<T> {
  const store = createStoreAdmin({ ...stack.config.store, accessKey: accessKeyOf(role), secretKey: secrets.store[role] ?? '' });
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

/** Returns the S3 error code of a call, or `allowed`. Calls use the client directly, because the store retries. */
async function resultOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'allowed',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

const allOf = (paths: readonly string[], result: string): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, result]));

describe.each(stages)('in the bucket $name', (stage) => {
  const produced = new Set(stage.produces.map(pathOfKind));
  const read = new Set([
    ...produced,
    ...[stage.consumes, ...(stage.reads ?? [])].map(pathOfKind),
    metadataPaths.request,
    metadataPaths.receipt(stage.name, 'clip_0001'),
  ]);

  it('writes no object of another stage', async () => {
    const others = allPaths().filter((path) => !produced.has(path) && path !== metadataPaths.receipt(stage.name, 'clip_0001'));
    const foreign = [
      ...others.map((path) => `requests/${id}/${path}`),
      'memo/x.json',
      memoKey(`${stage.name}x`, 'y'),
      'tmp/x',
      'requests/x',
    ];
    const results = await as(stage.name, ({ client, bucket }) =>
      Promise.all(foreign.map(async (key) => [key, await resultOf(client.putObject(bucket, key, 'x'))] as const)),
    );
    expect(Object.fromEntries(results)).toEqual(allOf(foreign, 'AccessDenied'));
  });

  it('writes its own objects and finds no missing one that it may read', async () => {
    const missing = `requests/${uniqueId()}/${pathOfKind(stage.consumes)}`;
    const keys = [...produced].map((path) => `requests/${id}/${path}`);
    const results = await as(stage.name, ({ client, bucket }) =>
      Promise.all([
        ...keys.map((key) => resultOf(client.putObject(bucket, key, 'x'))),
        resultOf(client.statObject(bucket, missing)),
      ]),
    );
    expect(results).toEqual([...keys.map(() => 'allowed'), 'NotFound']);
  });

  it('reads only the kinds that it declares', async () => {
    const paths = allPaths();
    const results = await as(stage.name, ({ client, bucket }) =>
      Promise.all(
        paths.map(async (path) => {
          const got = client.getObject(bucket, `requests/${id}/${path}`).then((stream) => stream.destroy());
          return [path, await resultOf(got)] as const;
        }),
      ),
    );
    expect(Object.fromEntries(results)).toEqual(
      Object.fromEntries(paths.map((path) => [path, read.has(path) ? 'allowed' : 'AccessDenied'])),
    );
  });
});

describe.each(roles)('in the bucket %s', (role) => {
  it('deletes nothing and changes no rule', async () => {
    const results = await as(role, ({ client, bucket }) =>
      Promise.all([
        ...allPaths().map((path) => resultOf(client.removeObject(bucket, `requests/${id}/${path}`))),
        resultOf(client.removeAllBucketNotification(bucket)),
        resultOf(client.setBucketPolicy(bucket, '{}')),
        resultOf(client.removeBucketLifecycle(bucket)),
        resultOf(client.removeBucketTagging(bucket)),
        resultOf(client.makeBucket(`${bucket}-x`)),
        resultOf(client.removeBucket(bucket)),
      ]),
    );
    expect([...new Set(results)]).toEqual(['AccessDenied']);
  });
});

/** Runs `mc admin` as a user of the store, which has the alias `store`. Returns the output. */
async function mcAdmin(user: string, password: string, args: readonly string[]): Promise<string> {
  const url = new URL(stack.config.store.endpoint);
  url.username = user;
  url.password = password;
  const dir = createTempDir();
  const env = { HOME: dir, PATH: process.env['PATH'], MC_CONFIG_DIR: dir, MC_HOST_store: url.href.replace(/\/$/, '') };
  const { mc } = await ensureServers(() => undefined);
  return promisify(execFile)(mc, ['admin', ...args], { cwd: dir, env }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

describe.each(['submitter', 'relay', stages[0]!.name])('in the administration of the store %s', (role) => {
  const victim = accessKeyOf(stages.at(-1)!.name);
  const self = accessKeyOf(role);
  const asAdmin = (...args: string[]): Promise<string> => {
    const { accessKey, secretKey } = stack.config.store;
    return mcAdmin(accessKey, secretKey, args);
  };

  it('changes no user and no access key', async () => {
    const foreign = `foreign-${role}`.slice(0, 20);
    await asAdmin('accesskey', 'create', 'store', '--access-key', foreign, '--secret-key', 'foreign-secret-key');
    const attempts = [
      ...[victim, foreign].flatMap((key) => [
        ['accesskey', 'rm', 'store', key],
        ['accesskey', 'edit', 'store', key, '--secret-key', 'stolen-secret-key'],
        ['accesskey', 'disable', 'store', key],
        ['user', 'rm', 'store', key],
        ['user', 'disable', 'store', key],
        ['user', 'add', 'store', key, 'stolen-secret-key'],
      ]),
      ['accesskey', 'create', 'store', victim, '--access-key', 'for-the-victim', '--secret-key', 'kept-secret-key'],
      ['accesskey', 'create', 'store', self, '--access-key', 'for-later', '--secret-key', 'kept-secret-key'],
      ['accesskey', 'create', 'store', '--access-key', 'for-later', '--secret-key', 'kept-secret-key'],
      ['user', 'add', 'store', self, 'another-secret-key'],
      ['policy', 'attach', 'store', 'consoleAdmin', '--user', self],
      ['policy', 'rm', 'store', victim],
    ];
    const listing = async (): Promise<string[]> => {
      const lines =
        (await asAdmin('user', 'ls', 'store', '--json')) + (await asAdmin('accesskey', 'ls', 'store', '--all', '--json'));
      // The store lists users and keys in random order.
      return [...lines.matchAll(/"accessKey":"[^"]*"(,"policyName.*)?/g)].map(([entry]) => entry).sort();
    };
    const before = await listing();
    for (const args of attempts) await mcAdmin(self, secrets.store[role] ?? '', args);
    expect(before.length).toBeGreaterThan(roles.length);
    expect(await listing()).toEqual(before);
    const reader = createStoreAdmin({ ...stack.config.store, accessKey: foreign, secretKey: 'foreign-secret-key' });
    expect(await resultOf(reader.client.bucketExists(reader.bucket))).toBe('allowed');
    reader.close();
    expect(await findRefusedRoles(stack.config.store, roles, secrets.store)).toEqual([]);
  });

  it('reads no user, access key or setting', async () => {
    for (const args of [
      ['accesskey', 'ls', 'store', '--all'],
      ['accesskey', 'info', 'store', victim],
      ['user', 'ls', 'store'],
      ['config', 'get', 'store', 'notify_nats'],
      ['info', 'store'],
      ['cluster', 'iam', 'export', 'store'],
    ])
      expect.soft(await mcAdmin(self, secrets.store[role] ?? '', args), args.join(' ')).toMatch(/denied|unable to|not allowed/i);
  });
});

it('denies the administration of the store to every role', () => {
  for (const { Statement } of Object.values(storePolicies(graph, 'bucket')))
    expect(Statement).toContainEqual({ Effect: 'Deny', Action: ['admin:*'] });
});

describe('in the bucket the roles that run no stage', () => {
  const allowed: Record<string, readonly string[]> = {
    relay: [metadataPaths.request],
    tracker: [metadataPaths.state],
    submitter: [pathOfKind(kinds.input)],
  };

  it('covers all roles that run no stage', () => {
    expect(roles.filter((role) => !stages.some(({ name }) => name === role)).sort()).toEqual(Object.keys(allowed).sort());
  });

  it.each(Object.entries(allowed))('%s writes %j only', async (role, paths) => {
    const others = allPaths().filter((path) => !paths.includes(path));
    const results = await as(role, ({ client, bucket }) =>
      Promise.all(others.map((path) => resultOf(client.putObject(bucket, `requests/${id}/${path}`, 'x')))),
    );
    expect([...new Set(results)]).toEqual(['AccessDenied']);
  });
});

/** Returns every subject of the system, and those that change a stream or a consumer. */
function allSubjects(): string[] {
  const api = (operation: string): string => `$JS.API.${operation}`;
  return [
    subjects.rawFast,
    subjects.rawDurable,
    subjects.rawSweep,
    ...graph.kinds.map((kind) => subjects.landed(kind.name, 'first', 'x')),
    ...stages.flatMap(({ name }) => [subjects.stage('x', name), subjects.deadLetter(name, 'x')]),
    ...['accepted', 'rejected', 'completed', 'failed', 'cancelled'].map((event) => subjects.lifecycle('x', event)),
    storedSubject(subjects.lifecycle('x', 'completed')),
    ...Object.values(streams).flatMap((stream) => [
      ...['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE', 'LEADER.STEPDOWN', 'PEER.REMOVE'].map(
        (operation) => api(`STREAM.${operation}.${stream}`),
      ),
      // The delivery subject of a consumer can be any API subject, which the server then publishes to.
      api(`CONSUMER.CREATE.${stream}`),
      ...['CREATE', 'DURABLE.CREATE', 'DELETE', 'PAUSE', 'UNPIN', 'RESET', 'MSG.NEXT', 'LEADER.STEPDOWN'].map((operation) =>
        api(`CONSUMER.${operation}.${stream}.x`),
      ),
      api(`CONSUMER.CREATE.${stream}.x.fave.>`),
      `$JS.ACK.${stream}.x.1.1.1.1.0`,
    ]),
    api(`CONSUMER.MSG.NEXT.${streams.raw}.${RELAY_CONSUMER}`),
    api(`CONSUMER.DELETE.${streams.raw}.${RELAY_CONSUMER}`),
    api(`CONSUMER.MSG.NEXT.${streams.deadLetters}.${ADVISORY_CONSUMER}`),
    api(`CONSUMER.DELETE.${streams.deadLetters}.${ADVISORY_CONSUMER}`),
    ...stages.flatMap(({ name }) => [
      api(`CONSUMER.MSG.NEXT.${streams.landed}.${consumerName(name, 'first')}`),
      api(`CONSUMER.DELETE.${streams.landed}.${consumerName(name, 'first')}`),
      `$JS.ACK.${streams.landed}.${consumerName(name, 'first')}.1.1.1.1.0`,
    ]),
  ];
}

/** The subjects on which each role may publish. */
function mayPublish(role: string): (subject: string) => boolean {
  const stage = stages.find(({ name }) => name === role);
  if (stage) {
    const landed = [stage.consumes, ...stage.produces].map(({ name }) => `fave.landed.${name}.`);
    return (subject) =>
      landed.some((prefix) => subject.startsWith(prefix)) ||
      [subjects.stage('x', role), subjects.deadLetter(role, 'x')].includes(subject) ||
      (/^\$JS\.(API\.CONSUMER\.MSG\.NEXT|ACK)\./.test(subject) && subject.includes(`.${consumerName(role, 'first')}`));
  }
  if (role === 'minio') return (subject) => [subjects.rawFast, subjects.rawDurable].includes(subject);
  if (role === 'relay')
    return (subject) => /^fave\.landed\.|\.rejected$/.test(subject) || subject.endsWith(`NEXT.${streams.raw}.${RELAY_CONSUMER}`);
  if (role === 'tracker')
    return (subject) =>
      /^fave\.(requests|dlq)\./.test(subject) ||
      subject === subjects.rawSweep ||
      subject.endsWith(`NEXT.${streams.deadLetters}.${ADVISORY_CONSUMER}`);
  return () => false;
}

describe('on the bus', () => {
  const users = Object.keys(busPermissions(graph)).filter((user) => user !== 'admin');

  it('lets no role read the replies to another', () => {
    const inboxOf = (user: string): string => (user === 'minio' ? '_INBOX.x' : `_INBOX_${user}.x`);
    const inboxes = users.map(inboxOf);
    for (const user of users) {
      const { subscribe } = busPermissions(graph)[user]!;
      const readable = inboxes.filter((inbox) => subscribe.some((pattern) => inbox.startsWith(pattern.replace(/>$/, ''))));
      expect(readable).toEqual([inboxOf(user)]);
    }
  });

  it.each(users)('limits %s to its subjects', async (user) => {
    const bus = await connectBus({ ...stack.config.bus, user, password: secrets.bus[user] ?? '' }, user);
    const may = mayPublish(user);
    const forbidden = allSubjects().filter((subject) => !may(subject));
    const denied = new Set<string>();
    const listening = (async () => {
      for await (const status of bus.connection.status()) {
        if (status.type === 'error') denied.add(/Publish to "([^"]+)"/.exec(status.error.message)?.[1] ?? status.error.message);
        if (denied.size === forbidden.length) return;
      }
    })();
    for (const subject of forbidden) bus.connection.publish(subject, '{}');
    // The server results in order, so every refusal has arrived before the answer to the ping.
    await bus.connection.flush();
    await bus.close();
    await listening;
    expect([...denied].sort()).toEqual([...new Set(forbidden)].sort());
  });

  it.each(users.filter((user) => !['tracker', 'viewer', 'relay'].includes(user)))(
    'does not deliver messages of other roles to %s',
    async (user) => {
      const bus = await connectBus({ ...stack.config.bus, user, password: secrets.bus[user] ?? '' }, user);
      const refused = await Promise.all(
        ['fave.raw.>', 'fave.landed.>', 'fave.dlq.>', 'fave.requests.*.completed', '$JS.>', '$SYS.>'].map(
          (subject) =>
            new Promise<string>((resolve) => {
              bus.connection.subscribe(subject, {
                callback: (error) => {
                  resolve(error ? 'refused' : 'received');
                },
              });
            }),
        ),
      );
      expect([...new Set(refused)]).toEqual(['refused']);
      await bus.close();
    },
  );
});
