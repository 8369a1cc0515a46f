import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BUS_ADDRESS, GENERATED, QUEUE } from '../../infra/compose/names.ts';
import { makeSecrets } from '../../infra/compose/secrets.ts';
import { generatedParts, withParts } from '../../infra/compose/services.ts';
import { notifyEnvironment } from '../../infra/minio.ts';
import { root } from '../../infra/paths.ts';
import { serverPrograms } from '../../infra/servers/table.ts';
import { serviceNames } from '../../infra/services.ts';
import { graph } from '../../services/pipeline.ts';
import { environment } from '../../shared/config.ts';

interface Service {
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: string[];
  readonly security_opt: string[];
  readonly mem_limit: string;
  readonly command?: string[];
  readonly container_name?: string;
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly healthcheck?: object;
  readonly environment?: Record<string, string>;
  readonly secrets?: (string | { readonly source: string })[];
}

const text = await readFile(join(root, 'compose.yaml'), 'utf8');
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  secrets: Record<string, { readonly file: string }>;
};
const services = Object.entries(compose.services);
/** Who makes a folder of root's, and who reads Docker's socket. */
const rootly = ['secrets', 'alloy'];
const ours = new Set(serviceNames(graph));

describe('compose.yaml', () => {
  it('is as the Compose specification wants it', async () => {
    const schema = JSON.parse(await readFile(join(root, 'infra/compose/compose-spec.schema.json'), 'utf8')) as object;
    const ajv = new Ajv({ strict: false, allErrors: true });
    formats.default(ajv);
    // Ajv knows the draft by its http address alone.
    const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
    validate(compose);
    expect(validate.errors).toBeNull();
    validate({ services: { relay: { helthcheck: {} } } });
    expect(validate.errors).not.toBeNull();
  });

  it.each(GENERATED)('has in %s every service of the graph (npm run compose)', async (name) => {
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

  it.each(services.filter(([name]) => ours.has(name) || name === 'set-up'))('sets for %s what processes read', (_, service) => {
    const known = Object.keys(environment).flatMap((name) => [name, `${name}_FILE`]);
    for (const name of Object.keys(service.environment ?? {})) expect(known).toContain(name);
  });

  it.each(services.filter(([name]) => ours.has(name)))('accounts %s for the memory that it may use', (_, service) => {
    expect(service.mem_limit).toBe(`${service.environment?.['FAVE_MEMORY_LIMIT_MB'] ?? ''}m`);
  });

  it.each(services)('confines %s', (name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    if (!rootly.includes(name)) expect(service.user).not.toMatch(/^0|root/);
  });

  it.each(services)('publishes of %s nothing beyond this machine, and lets it have many containers', (name, service) => {
    expect(service.container_name).toBeUndefined();
    for (const port of service.ports ?? []) expect(port).toMatch(/^\$\{FAVE_BIND:-127\.0\.0\.1\}:\$\{FAVE_\w+_PORT:-\d+\}:\d+$/);
    if (ours.has(name)) expect(service.ports).toBeUndefined();
  });

  it.each(services.filter(([name]) => !['set-up', 'secrets'].includes(name)))('asks %s how it is', (_, service) => {
    expect(service.healthcheck).toBeDefined();
  });

  it('mounts of this tree only what is there', () => {
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.filter((each) => each.startsWith('./')));
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(existsSync(join(root, source.split(':')[0] ?? '')), source).toBe(true);
  });

  it('builds the servers that everything else runs', async () => {
    const dockerfile = await readFile(join(root, 'infra/images/Dockerfile'), 'utf8');
    for (const { package: path, version } of [serverPrograms.natsServer, serverPrograms.mc, serverPrograms.minio]) {
      const variable = new RegExp(`go install .* ${path}@\\$\\{(\\w+)\\}`).exec(dockerfile)?.[1] ?? 'missing';
      expect(dockerfile).toContain(`ARG ${variable}=${version}\n`);
    }
  });
});

describe('the secrets', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'fave-secrets-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  const pathOf = (file: string): string => file.replace('${FAVE_SECRETS_DIR:-./secrets}', dir);

  it('are every file that a container is given, for nobody else to read', async () => {
    await makeSecrets({ graph, dir, env: {} });
    const given = services
      .flatMap(([, service]) => service.secrets ?? [])
      .map((each) => (typeof each === 'string' ? each : each.source));
    expect(Object.keys(compose.secrets).sort()).toEqual([...new Set(given)].sort());
    for (const { file } of Object.values(compose.secrets)) expect((await stat(pathOf(file))).mode & 0o777).toBe(0o600);
    expect(existsSync(join(dir, '.gitignore'))).toBe(true);
  });

  it('stay as they are when they are made again', async () => {
    const read = (): Promise<string[]> =>
      Promise.all(Object.values(compose.secrets).map(({ file }) => readFile(pathOf(file), 'utf8')));
    const before = await read();
    await makeSecrets({ graph, dir, env: {} });
    expect(await read()).toEqual(before);
    const passwords = Object.values((JSON.parse(before[0] ?? '') as { store: Record<string, string> }).store);
    expect(new Set(passwords).size).toBe(passwords.length);
    for (const password of passwords) expect(text).not.toContain(password);
  });
});
