import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { toEnvironment } from '../../../infra/access/environment.ts';
import { rolesOf, secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { root } from '../../../infra/process/paths.ts';
import { accessKeyOf } from '../../../infra/access/policies.ts';
import { serviceSpec } from '../../../infra/local/service-spec.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { environmentSchema, readConfig } from '../../../shared/config/config.ts';
import { ofKind, overlay, podsOf } from './overlays.ts';

type Variables = Readonly<Record<string, string>>;
type Name = keyof typeof environmentSchema;

/** What stands for a password, which each installation makes. */
const SECRET = '(its own)';

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const compose = parse(await read('compose.yaml'), { merge: true }) as {
  services: Record<string, { environment?: Record<string, string> }>;
};

/** What the image of every service sets. */
const ofImage: Variables = Object.fromEntries(
  [...(await read('infra/images/Dockerfile')).matchAll(/^ENV .*/gm)].flatMap(([line]) =>
    [...line.matchAll(/\b(FAVE_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  ),
);

/** Where Compose's own variables are not set; what is read from a file is a secret. */
function inCompose(service: string): Variables {
  const given = Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) =>
    name.endsWith('_FILE') ? [name.slice(0, -'_FILE'.length), SECRET] : [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')],
  );
  return { ...ofImage, ...(Object.fromEntries(given) as Variables) };
}

const { bus, store } = rolesOf(graph);
const secretly = (names: readonly string[]): Variables => Object.fromEntries(names.map((name) => [name, SECRET]));
const secrets = secretManifests(graph, { bus: secretly(bus), store: secretly(store) });

function valueIn({ resources }: IContainer, { value, valueFrom }: NonNullable<IContainer['env']>[number]): string {
  if (value !== undefined) return value;
  expect(valueFrom).toEqual({ resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } });
  return /^(\d+)Mi$/.exec(String(resources?.limits?.['memory']))?.[1] ?? '';
}

async function onKubernetes(service: string): Promise<Variables> {
  const manifests = await overlay('cold');
  const pods = podsOf(ofKind<IDeployment>(manifests, 'Deployment'));
  const container = pods.find(({ name }) => name === service)!.spec.containers[0]!;
  const from = (container.envFrom ?? []).map(({ configMapRef, secretRef }) =>
    configMapRef
      ? ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === configMapRef.name)?.data
      : secrets.find(({ metadata }) => metadata?.name === secretRef?.name)?.stringData,
  );
  const own = (container.env ?? []).map((each) => [each.name, valueIn(container, each)]);
  return { ...ofImage, ...Object.assign({}, ...from), ...(Object.fromEntries(own) as Variables) } as Variables;
}

/** As a service of an instance of its own servers is started (infra/local/servers.ts). */
function byLauncher(service: string): Variables {
  const defaults = readConfig({});
  const own = toEnvironment(
    { ...defaults.store, accessKey: accessKeyOf(service), secretKey: SECRET },
    { ...defaults.bus, user: service, password: SECRET },
  );
  return serviceSpec(service, { dataDir: 'DATA', environment: own, env: {} }).env;
}

/** Where the three differ, and nowhere else: Compose, Kubernetes, the launcher. Functions of the service, where it is not the same for all. */
const differences: Partial<Record<Name, readonly (string | ((service: string) => string))[]>> = {
  ARTIFACT_ENDPOINT: ['http://minio:9000', 'http://minio.fave.svc.cluster.local:9000', 'http://127.0.0.1:9000'],
  NATS_URL: ['nats://nats:4222', 'nats://nats.fave.svc.cluster.local:4222', 'nats://127.0.0.1:4222'],
  // The launcher's services share a machine, and so ports and cores; each has any port, and tells which.
  FAVE_HTTP_HOST: ['0.0.0.0', '0.0.0.0', '127.0.0.1'],
  FAVE_HTTP_PORT: ['8080', '8080', '0'],
  FAVE_TMPDIR: ['/scratch', '/tmp', join('DATA', 'tmp')],
  FAVE_CONCURRENCY: ['1', '1', (service) => String(service === 'stage-deepspeech' ? cpus().length : 1)],
  FAVE_NICE: ['0', '0', (service) => (['stage-deepspeech', 'stage-object-detector'].includes(service) ? '5' : '0')],
  // Only an autoscaler takes replicas away that work.
  FAVE_GRACE_SECONDS: ['20', '3600', '20'],
  // A process of the launcher's has no limit, and is accounted for the default.
  FAVE_MEMORY_LIMIT_MB: [memoryOf, memoryOf, '512'],
};

function memoryOf(service: string): string {
  if (['relay', 'tracker'].includes(service)) return '256';
  return ['stage-ffmpeg-2', 'stage-deepspeech', 'stage-object-detector'].includes(service) ? '1024' : '512';
}

describe.each(serviceNames(graph))('%s', { timeout: 900_000 }, (service) => {
  it('is told the same by Compose, Kubernetes and the launcher, but for what is listed', async () => {
    const ways = [inCompose(service), await onKubernetes(service), byLauncher(service)];
    const names = Object.keys(environmentSchema) as Name[];
    const found = names.map((name) => [name, ways.map((way) => effective(way[name], name))]);
    const expected = names.map((name) => [
      name,
      differences[name]?.map((value) => (typeof value === 'string' ? value : value(service))) ?? allHave(name, service),
    ]);
    expect(found).toEqual(expected);
  });

  it('is told nothing that it does not read', async () => {
    const known = [...Object.keys(environmentSchema)];
    const told = [inCompose(service), await onKubernetes(service), byLauncher(service)].flatMap((way) => Object.keys(way));
    expect(told.filter((name) => /^(ARTIFACT|NATS|FAVE|OTEL)_/.test(name) && !known.includes(name))).toEqual([]);
  });
});

/** What a process reads: what is empty counts as not set. */
const effective = (value: string | undefined, name: Name): string =>
  value === undefined || value === '' ? String(environmentSchema[name].default) : value;

/** What all three say: whose it is, or the default. */
function allHave(name: Name, service: string): string[] {
  const own: Partial<Record<Name, string>> = {
    ARTIFACT_ACCESS_KEY: accessKeyOf(service),
    ARTIFACT_SECRET_KEY: SECRET,
    NATS_USER: service,
    NATS_PASSWORD: SECRET,
  };
  return Array.from({ length: 3 }, () => own[name] ?? String(environmentSchema[name].default));
}
