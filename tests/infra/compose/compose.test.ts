import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { BUS_ADDRESS, GENERATED, QUEUE } from '../../../infra/compose/names.ts';
import { makeSecrets } from '../../../infra/compose/secrets.ts';
import { generatedParts, withParts } from '../../../infra/compose/services.ts';
import { notifyEnvironment } from '../../../infra/servers/minio.ts';
import { root } from '../../../infra/process/paths.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import { graph } from '../../../services/pipeline.ts';
import { environmentSchema, settingVariable } from '../../../shared/config/config.ts';
import { readComposeSchema } from '../../support/docker/client.ts';
import { compose, FOLDER, ours, services, text } from './file.ts';
import { createTempDir } from '../../support/temp-dir.ts';

/** Services that run as root: one creates directories of root, the other reads the Docker socket. */
const rootServices = ['secrets', 'alloy'];

describe('compose.yaml', () => {
  it('is valid by the Compose specification', async () => {
    const schema = await readComposeSchema(() => undefined);
    const ajv = new Ajv({ strict: false, allErrors: true });
    formats.default(ajv);
    // Ajv knows the draft only by its http address.
    const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
    validate(compose);
    expect(validate.errors).toBeNull();
    validate({ services: { relay: { helthcheck: {} } } });
    expect(validate.errors).not.toBeNull();
  });

  it.each(GENERATED)('has in %s every service of the graph (npm run generate)', async (name) => {
    const committed = await readFile(join(root, name), 'utf8');
    expect(withParts(committed, generatedParts(graph))).toBe(committed);
    for (const service of ours) expect(committed).toContain(service);
  });

  it('gives MinIO the notification targets that the rules name, without their passwords', () => {
    const wanted = notifyEnvironment({ address: BUS_ADDRESS, user: 'minio', password: '' }, QUEUE);
    for (const [name, value] of Object.entries(wanted))
      expect([name, compose.services['minio']?.environment?.[name]]).toEqual([
        name,
        name.includes('_PASSWORD_') ? undefined : value,
      ]);
  });

  it.each(services.filter(([name]) => ours.has(name) || name === 'set-up'))(
    'sets only variables of the schema for %s',
    (_, service) => {
      const variables = [
        ...Object.keys(environmentSchema).flatMap((name) => [name, `${name}_FILE`]),
        ...graph.stages.flatMap(({ settings = {} }) => Object.keys(settings).map(settingVariable)),
        'FAVE_MODELS_URL', // read by set-up
      ];
      for (const name of Object.keys(service.environment ?? {})) expect(variables).toContain(name);
    },
  );

  it.each(services.filter(([name]) => ours.has(name)))('sets the memory limit of %s for the cost model as well', (_, service) => {
    expect(service.mem_limit).toBe(`${service.environment?.['FAVE_MEMORY_LIMIT_MB'] ?? ''}m`);
  });

  it.each(services)('confines %s', (name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    if (!rootServices.includes(name)) expect(service.user).not.toMatch(/^0|root/);
  });

  it('connects only set-up to the internet, and publishes ports on a network that does not translate addresses', () => {
    expect(compose.networks).toEqual({
      default: { internal: true },
      published: { driver_opts: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' } },
      download: null,
    });
    for (const [name, { networks = ['default'], network_mode, ports = [] }] of services) {
      const expected = name === 'set-up' ? ['default', 'download'] : ports.length > 0 ? ['default', 'published'] : ['default'];
      expect([name, networks]).toEqual([name, expected]);
      expect(network_mode).toBe(name === 'secrets' ? 'none' : undefined);
    }
  });

  it.each(services)('allows several containers of %s', (_, service) => {
    expect(service.container_name).toBeUndefined();
  });

  it('tags built images with the version of the package', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const tags = services.filter(([, { image }]) => image.startsWith('fave-')).map(([, { image }]) => image.split(':').slice(1));
    expect(tags.length).toBeGreaterThan(ours.size);
    for (const tag of tags) expect(tag.join(':')).toBe(`\${FAVE_VERSION:-${version}}`);
  });

  it('mounts only files of this tree that exist', () => {
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.filter((each) => each.startsWith('./')));
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(existsSync(join(root, source.split(':')[0] ?? '')), source).toBe(true);
  });

  it('builds the server versions of infra/servers/table.ts', async () => {
    const dockerfile = await readFile(join(root, 'infra/images/Dockerfile'), 'utf8');
    for (const { package: path, version } of [serverPrograms.natsServer, serverPrograms.mc, serverPrograms.minio]) {
      const variable = new RegExp(`go install .* ${path}@\\$\\{(\\w+)\\}`).exec(dockerfile)?.[1] ?? 'missing';
      expect(dockerfile).toContain(`ARG ${variable}=${version}\n`);
    }
  });
});

describe('the secrets', () => {
  const dir = createTempDir();
  const folders = services.flatMap(([name, { volumes = [] }]) =>
    volumes.flatMap((each) => (FOLDER.exec(each)?.slice(1) ?? []).map((folder) => [name, folder] as const)),
  );

  /** Every file of secrets, by path. */
  async function files(): Promise<Record<string, string>> {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const pairs = paths.sort().map(async (path) => [path.slice(dir.length + 1), await readFile(path, 'utf8')] as const);
    return Object.fromEntries(await Promise.all(pairs));
  }

  it('has a directory per container, which only that container mounts', async () => {
    await makeSecrets({ graph, dir, env: {} });
    for (const [name, folder] of folders) expect(folder).toBe(name);
    const mounts = services.flatMap(([name, { volumes = [] }]) =>
      volumes.filter((each) => each.includes('SECRETS_DIR') && !FOLDER.test(each)).map((each) => [name, each]),
    );
    expect(mounts).toEqual([['secrets', '${FAVE_SECRETS_DIR:-./secrets}:/secrets']]);
    const made = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(made.sort()).toEqual(folders.map(([, folder]) => folder).sort());
    expect(folders.map(([name]) => name)).toEqual(expect.arrayContaining([...ours, 'minio', 'nats', 'set-up', 'grafana']));
  });

  it('has the files that environment variables name', async () => {
    const RUN = '/run/secrets/';
    const made = Object.keys(await files());
    const named = services.flatMap(([name, { environment: variables = {} }]) =>
      Object.values(variables).flatMap((value) => (value.startsWith(RUN) ? [`${name}/${value.slice(RUN.length)}`] : [])),
    );
    expect(named.length).toBeGreaterThan(2 * ours.size);
    expect(made).toEqual(expect.arrayContaining(named));
  });

  it('restricts the files to their owner and excludes them from git', async () => {
    // Docker makes what a container mounts before anything runs.
    await chmod(join(dir, 'relay'), 0o755);
    await makeSecrets({ graph, dir, env: {} });
    const paths = ['', ...folders.map(([, folder]) => folder), ...Object.keys(await files())];
    for (const path of paths) expect([path, (await stat(join(dir, path))).mode & 0o077]).toEqual([path, 0]);
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('keeps existing secrets', async () => {
    const before = await files();
    await makeSecrets({ graph, dir, env: {} });
    expect(await files()).toEqual(before);
    const { bus, store } = JSON.parse(before['set-up/secrets.json'] ?? '') as Record<'bus' | 'store', Record<string, string>>;
    const passwords = [...Object.values(bus), ...Object.values(store)];
    expect(new Set(passwords).size).toBe(passwords.length);
    for (const password of passwords) expect(text).not.toContain(password);
  });

  it('replaces all secrets on rotation except that of Grafana', async () => {
    const before = await files();
    await makeSecrets({ graph, dir, env: {}, rotate: true });
    const after = await files();
    const same = Object.keys(after).filter((path) => after[path] === before[path]);
    expect(same).toEqual(['.gitignore', 'grafana/grafana']);
    const old = Object.entries(before).filter(([path]) => /\/(store|bus)$/.test(path));
    expect(old.length).toBeGreaterThan(ours.size);
    for (const [, password] of old) expect(JSON.stringify(after)).not.toContain(password);
  });
});
