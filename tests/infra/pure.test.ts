import { describe, expect, it } from 'vitest';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import { pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { explainMissingNotifications } from '../../infra/setup/notification-check.ts';
import { notifyEnvironment } from '../../infra/servers/minio.ts';
import { natsConfig } from '../../infra/servers/nats.ts';
import { accessKeyOf } from '../../infra/access/policies.ts';
import { groupServices } from '../../infra/deployment/services.ts';
import { serviceSpec } from '../../infra/local/service-spec.ts';
import { goInstallArgs } from '../../infra/servers/install.ts';
import { serverPrograms, versionFits } from '../../infra/servers/table.ts';
import { lifecycleRules } from '../../infra/setup/bucket.ts';
import { notificationRules } from '../../infra/setup/notification-rules.ts';

/** MinIO's own rule: the wildcard `{prefix}*{suffix}`, where `*` crosses `/`. */
function announces(key: string): boolean {
  const escape = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return notificationRules(graph).some(({ prefix, suffix = '' }) =>
    new RegExp(`^${escape(prefix)}.*${escape(suffix)}$`).test(key),
  );
}

describe('notification rules', () => {
  const indices = { batch: 1, clip: 1, frame: 1 };
  const keyOf = (kind: Kind, extension?: string): string =>
    requestPrefix('a') + pathOf(kind, { indices, file: 'any name', ...(extension !== undefined && { extension }) });

  it.each(graph.kinds.filter(({ announced }) => announced))('matches every $name', (kind) => {
    for (const extension of kind.extensions ?? [undefined]) expect(announces(keyOf(kind, extension))).toBe(true);
  });

  it.each([
    keyOf(kinds.frame),
    keyOf(kinds.media),
    'requests/a/metadata/request.json',
    'requests/a/metadata/state.json',
    'requests/a/metadata/items/stage-ffmpeg-2/clip_0001.json',
    'requests/a/metadata/logs/relay-1.jsonl',
    'tmp/builds/video.mp4',
    'memo/ab/cd',
  ])('does not match %s', (key) => {
    expect(announces(key)).toBe(false);
  });

  it.each(['requests/a/holiday.mp4', 'requests/HOLIDAY.MOV', 'requests/a/b/c.webm'])(
    'matches the misplaced %s, so that the relay rejects it',
    (key) => {
      expect(announces(key)).toBe(true);
    },
  );

  it('rejects a kind that would need a rule per object', () => {
    expect(() => notificationRules({ kinds: [{ ...kinds.frame, announced: true }] })).toThrow('frame cannot be announced');
  });
});

describe('accessKeyOf', () => {
  it('returns different keys of at most 20 characters, the limit of MinIO', () => {
    const names = ['relay', 'stage-object-detector', 'stage-object-detector-2'];
    const keys = names.map(accessKeyOf);
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThanOrEqual(20);
    expect(new Set(keys).size).toBe(names.length);
  });
});

describe('pinned programs', () => {
  it.each([
    ['nats-server: v2.12.3', 'v2.12.0', true],
    ['nats-server: v2.14.0', 'v2.12.0', true],
    ['nats-server: v2.11.9', 'v2.12.0', false],
    ['nats-server: v3.0.0', 'v2.12.0', false],
    ['minio version RELEASE.2025-10-15T17-29-55Z (commit-id=…)', 'RELEASE.2025-10-15', true],
    ['minio version RELEASE.2025-09-07T16-13-09Z', 'RELEASE.2025-10-15', false],
    ['minio version DEVELOPMENT.GOGET', 'RELEASE.2025-10-15', false],
    ['GNU Midnight Commander 4.8.29', 'RELEASE.2025-03-12', false],
  ])('%s for %s: %s', (output, atLeast, fits) => {
    expect(versionFits(output, atLeast)).toBe(fits);
  });

  it('builds programs by version, or from a module in the project', () => {
    expect(goInstallArgs(serverPrograms.mc).at(-1)).toBe('github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9');
    expect(goInstallArgs(serverPrograms.nats).at(-1)).toBe('github.com/nats-io/natscli/nats');
  });
});

describe('configuration of the servers', () => {
  it('binds NATS to 127.0.0.1 and syncs each write', () => {
    const config = natsConfig({
      program: '',
      port: 1,
      monitor: 2,
      dataDir: '/d',
      users: { a: { publish: ['x'], subscribe: [] } },
      passwords: { a: 'p' },
    });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      http: '127.0.0.1:2',
      jetstream: { store_dir: '/d/nats', sync_interval: 'always' },
      accounts: { a: { users: [{ user: 'a', password: 'p', permissions: { publish: { allow: ['x'] } } }] } },
    });
  });

  it('configures a queue for the durable target only, and synchronous events', () => {
    const environment = notifyEnvironment({ address: 'h:1', user: 'u', password: 'p' }, '/queue');
    expect(environment).toMatchObject({ MINIO_NOTIFY_NATS_QUEUE_DIR_FAVEDURABLE: '/queue', MINIO_API_SYNC_EVENTS: 'on' });
    expect(environment).not.toHaveProperty('MINIO_NOTIFY_NATS_QUEUE_DIR_FAVEFAST');
  });

  it('keeps requests without a retention setting', () => {
    expect(lifecycleRules(0).filter(({ Filter, Expiration }) => Filter.Prefix === 'requests/' && Expiration)).toEqual([]);
    expect(lifecycleRules(30)).toContainEqual(
      expect.objectContaining({ Filter: { Prefix: 'requests/' }, Expiration: { Days: 30 } }),
    );
  });
});

describe('serviceSpec', () => {
  const environmentOf = (service: string) => ({ NATS_USER: service, NATS_PASSWORD: `password of ${service}` });
  const env = { NATS_PASSWORD: 'admin', FAVE_LOG_LEVEL: 'warn', FAVE_TEST_MEDIA: '/media', AWS_SECRET: 'x', PATH: '/bin' };
  const options = { dataDir: '/d', environmentOf, env };
  const inherited = { FAVE_LOG_LEVEL: 'warn', PATH: '/bin' };
  const ofRelay = { FAVE_CONCURRENCY: '1', FAVE_NICE: '0', FAVE_TMPDIR: '/d/tmp', ...inherited, ...environmentOf('relay') };

  it('passes a service its own credentials and the settings, not the credentials of the launcher', () => {
    expect(serviceSpec(['relay'], options)).toMatchObject({ name: 'relay', services: ['relay'], env: ofRelay });
    expect(Object.keys(serviceSpec(['relay'], options).env).sort()).toEqual(
      ['NODE_COMPILE_CACHE', ...Object.keys(ofRelay)].sort(),
    );
  });

  it('passes each service of a shared process its own credentials', () => {
    const spec = serviceSpec(['relay', 'tracker'], options);
    const { FAVE_SERVICE_ENVIRONMENTS, NODE_COMPILE_CACHE: _, ...common } = spec.env;
    expect(spec).toMatchObject({ name: 'services', services: ['relay', 'tracker'], log: '/d/logs/services.log' });
    expect(common).toEqual(inherited);
    expect(JSON.parse(FAVE_SERVICE_ENVIRONMENTS ?? '')).toEqual({
      relay: ofRelay,
      tracker: { ...ofRelay, ...environmentOf('tracker') },
    });
  });
});

describe('groupServices', () => {
  const services = ['relay', 'stage-deepspeech', 'tracker', 'stage-object-detector', 'stage-grep'];

  it('groups light services and separates heavy ones', () => {
    const groups = [['relay', 'tracker', 'stage-grep'], ['stage-deepspeech'], ['stage-object-detector']];
    expect(groupServices(services, { share: true })).toEqual(groups);
    expect(groupServices(['stage-deepspeech'], { share: true })).toEqual([['stage-deepspeech']]);
  });

  it('separates all services without sharing', () => {
    expect(groupServices(services, { share: false })).toEqual(services.map((name) => [name]));
  });
});

it('explainMissingNotifications names the likely cause', () => {
  expect(explainMissingNotifications(['fast', 'durable', 'relay'], 1_000)).toContain('queue directory');
  expect(explainMissingNotifications(['durable'], 1_000)).toContain('the queue is full');
  expect(explainMissingNotifications(['relay'], 1_000)).toContain('relay is not running');
});
