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
import { environmentSchema, readConfig, settingVariable } from '../../../shared/config/config.ts';
import { configMap, ofKind, podsOf, renderOverlay } from './render.ts';

type Variables = Readonly<Record<string, string>>;
type Name = keyof typeof environmentSchema;

/** Placeholder for a password. */
const SECRET = '(secret)';

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const compose = parse(await read('compose.yaml'), { merge: true }) as {
  services: Record<string, { environment?: Record<string, string> }>;
};

/** Variables that the image of every service sets. */
const imageEnvironment: Variables = Object.fromEntries(
  [...(await read('infra/images/Dockerfile')).matchAll(/^ENV .*/gm)].flatMap(([line]) =>
    [...line.matchAll(/\b(FAVE_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  ),
);

/** Returns a service's environment under Compose, without variables of Compose itself. Values read from files are secrets. */
function composeEnvironment(service: string): Variables {
  const entries = Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) =>
    name.endsWith('_FILE') ? [name.slice(0, -'_FILE'.length), SECRET] : [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')],
  );
  return { ...imageEnvironment, ...(Object.fromEntries(entries) as Variables) };
}

const { bus, store } = rolesOf(graph);
const maskPasswords = (names: readonly string[]): Variables => Object.fromEntries(names.map((name) => [name, SECRET]));
const secrets = secretManifests(graph, { bus: maskPasswords(bus), store: maskPasswords(store) });

function valueIn({ resources }: IContainer, { value, valueFrom }: NonNullable<IContainer['env']>[number]): string {
  if (value !== undefined) return value;
  expect(valueFrom).toEqual({ resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } });
  return /^(\d+)Mi$/.exec(String(resources?.limits?.['memory']))?.[1] ?? '';
}

async function kubernetesEnvironment(service: string): Promise<Variables> {
  const manifests = await renderOverlay('cold');
  const pods = podsOf(ofKind<IDeployment>(manifests, 'Deployment'));
  const container = pods.find(({ name }) => name === service)!.spec.containers[0]!;
  const sources = (container.envFrom ?? []).map(({ configMapRef, secretRef }) =>
    configMapRef
      ? ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === configMapRef.name)?.data
      : secrets.find(({ metadata }) => metadata.name === secretRef?.name)?.stringData,
  );
  const own = (container.env ?? []).map((each) => [each.name, valueIn(container, each)]);
  return { ...imageEnvironment, ...Object.assign({}, ...sources), ...(Object.fromEntries(own) as Variables) } as Variables;
}

/** Returns a service's environment in a local instance with its own servers (infra/local/servers.ts). */
function launcherEnvironment(service: string): Variables {
  const defaults = readConfig({});
  const own = toEnvironment(
    { ...defaults.store, accessKey: accessKeyOf(service), secretKey: SECRET },
    { ...defaults.bus, user: service, password: SECRET },
  );
  return serviceSpec([service], { dataDir: 'DATA', environmentOf: () => own, env: {} }).env;
}

/** Variables whose values differ, in the order Compose, Kubernetes, launcher. A function depends on the service. */
const differences: Partial<Record<Name, readonly (string | ((service: string) => string))[]>> = {
  ARTIFACT_ENDPOINT: ['http://minio:9000', 'http://minio.fave.svc.cluster.local:9000', 'http://127.0.0.1:9000'],
  NATS_URL: ['nats://nats:4222', 'nats://nats.fave.svc.cluster.local:4222', 'nats://127.0.0.1:4222'],
  // The launcher's services share a machine, so each takes a free port.
  FAVE_HTTP_HOST: ['0.0.0.0', '0.0.0.0', '127.0.0.1'],
  FAVE_HTTP_PORT: ['8080', '8080', '0'],
  FAVE_TMPDIR: ['/scratch', '/tmp', join('DATA', 'tmp')],
  FAVE_CONCURRENCY: ['1', '1', localConcurrencyOf],
  FAVE_NICE: ['0', '0', (service) => (['stage-deepspeech', 'stage-object-detector'].includes(service) ? '5' : '0')],
  // Only an autoscaler stops replicas that have work.
  FAVE_GRACE_SECONDS: ['20', '3600', '20'],
  // The launcher sets no memory limit; the cost proxy uses the default.
  FAVE_MEMORY_LIMIT_MB: [memoryOf, memoryOf, '512'],
};

function localConcurrencyOf(service: string): string {
  const cores = cpus().length;
  const [recognitions, encodings] = [cores, Math.floor(cores / 2) + 1];
  return String({ 'stage-deepspeech': recognitions, 'stage-ffmpeg-3': encodings }[service] ?? 1);
}

function memoryOf(service: string): string {
  if (['relay', 'tracker'].includes(service)) return '256';
  return ['stage-deepspeech', 'stage-ffmpeg-3', 'stage-object-detector'].includes(service) ? '1024' : '512';
}

describe.each(serviceNames(graph))('%s', { timeout: 900_000 }, (service) => {
  it('has the same environment under Compose, Kubernetes and the launcher, except for the listed differences', async () => {
    const environments = [composeEnvironment(service), await kubernetesEnvironment(service), launcherEnvironment(service)];
    const names = Object.keys(environmentSchema) as Name[];
    const actual = names.map((name) => [name, environments.map((variables) => effective(variables[name], name))]);
    const expected = names.map((name) => [
      name,
      differences[name]?.map((value) => (typeof value === 'string' ? value : value(service))) ?? sharedValue(name, service),
    ]);
    expect(actual).toEqual(expected);
  });

  it('has only variables that processes read', async () => {
    const names = [composeEnvironment(service), await kubernetesEnvironment(service), launcherEnvironment(service)].flatMap(
      (variables) => Object.keys(variables),
    );
    const settings = graph.stages.find(({ name }) => name === service)?.settings ?? {};
    const known = [...Object.keys(environmentSchema), ...Object.keys(settings).map(settingVariable)];
    expect(names.filter((name) => /^(ARTIFACT|NATS|FAVE|OTEL)_/.test(name) && !known.includes(name))).toEqual([]);
  });
});

/** Returns the value that a process reads. An empty variable counts as unset. */
const effective = (value: string | undefined, name: Name): string =>
  value === undefined || value === '' ? String(environmentSchema[name].default) : value;

/** Returns the value that all three set: the service's own credentials, or the default. */
function sharedValue(name: Name, service: string): string[] {
  const own: Partial<Record<Name, string>> = {
    ARTIFACT_ACCESS_KEY: accessKeyOf(service),
    ARTIFACT_SECRET_KEY: SECRET,
    NATS_USER: service,
    NATS_PASSWORD: SECRET,
  };
  return Array.from({ length: 3 }, () => own[name] ?? String(environmentSchema[name].default));
}

it.each([
  ['cold', false],
  ['cold+tracing', true],
])('%s sets tracing in every service to %s', { timeout: 900_000 }, async (name, on) => {
  const variables = configMap(await renderOverlay(name), 'environment');
  expect(readConfig(variables).tracing).toEqual({ on });
});
