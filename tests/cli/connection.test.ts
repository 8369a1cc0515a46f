import { createServer } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../infra/deployment/ports.ts';
import { assertReachable, findDataDir, mergeEnvironments, extractUserInfo } from '../../cli/context/connection.ts';
import { createTempDir } from '../support/temp-dir.ts';

describe('mergeEnvironments', () => {
  const instance = {
    PATH: '/pinned',
    ARTIFACT_ENDPOINT: 'http://127.0.0.1:9000',
    ARTIFACT_SECRET_KEY: 'local',
    NATS_URL: 'nats://127.0.0.1:4222',
    NATS_PASSWORD: 'local',
  };

  it('takes values from the instance that the environment lacks', () => {
    expect(mergeEnvironments({ ARTIFACT_BUCKET: 'other', PATH: '/mine' }, instance)).toMatchObject({
      ARTIFACT_BUCKET: 'other',
      ARTIFACT_SECRET_KEY: 'local',
      PATH: '/mine',
    });
  });
  it('keeps the password of the instance from a server that the environment names', () => {
    const merged = mergeEnvironments({ ARTIFACT_ENDPOINT: 'https://elsewhere', NATS_URL: 'nats://elsewhere' }, instance);
    expect(merged).toEqual({ ARTIFACT_ENDPOINT: 'https://elsewhere', NATS_URL: 'nats://elsewhere' });
  });
});

describe('extractUserInfo', () => {
  const config = { servers: ['nats://me:p%40ss@host:4222', 'nats://other:4222'], user: '', password: '', ca: undefined };
  it('moves user and password out of the address', () => {
    expect(extractUserInfo(config)).toEqual({
      servers: ['nats://host:4222', 'nats://other:4222'],
      user: 'me',
      password: 'p@ss',
      ca: undefined,
    });
  });
  it('prefers a user that is configured separately', () => {
    expect(extractUserInfo({ ...config, user: 'you', password: 'pw' })).toMatchObject({ user: 'you', password: 'pw' });
  });
});

describe('findDataDir', () => {
  let dir: string;
  beforeAll(async () => {
    dir = createTempDir();
    await mkdir(join(dir, '.fave'));
    await mkdir(join(dir, 'a', 'b'), { recursive: true });
  });

  it('searches upwards, unless FAVE_DATA_DIR is set', () => {
    expect(findDataDir({ env: {}, cwd: join(dir, 'a', 'b') })).toBe(join(dir, '.fave'));
    expect(findDataDir({ env: { FAVE_DATA_DIR: 'c' }, cwd: dir })).toBe(join(dir, 'c'));
  });
});

describe('assertReachable', () => {
  it('fails immediately for an unreachable server', async () => {
    const { minio: port } = await freePorts();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await expect(assertReachable('the store', `http://127.0.0.1:${port}`)).resolves.toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
    await expect(assertReachable('the store', `http://127.0.0.1:${port}`)).rejects.toThrow(/does not answer/);
  });
});
