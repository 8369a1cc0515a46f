import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { consumerConfigs, streams } from '../../../shared/bus/topology.ts';
import { generateManifests } from '../../../infra/kubernetes/generate.ts';
import { secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { root } from '../../../infra/process/paths.ts';
import { coresOf, regimeNames, regimeSettings } from '../../../infra/deployment/regimes.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { notifyEnvironment } from '../../../infra/servers/minio.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import { ofKind, podsOf, renderOverlay, renderText, type Manifest } from './render.ts';

const read = (...path: string[]): Promise<string> => readFile(join(root, ...path), 'utf8');
const { version } = JSON.parse(await read('package.json')) as { version: string };

interface Compose {
  readonly services: Readonly<Record<string, { command?: string[]; image?: string; mem_limit?: string }>>;
}
const compose = parse(await read('compose.yaml'), { merge: true }) as Compose;

it.each(Object.entries(await generateManifests(graph)))('matches the generated k8s/%s', async (path, text) => {
  expect(await read('k8s', path)).toBe(text);
});

describe('base', { timeout: 900_000 }, () => {
  it('runs every service with the image, arguments and memory of compose.yaml', async () => {
    const deployments = ofKind<IDeployment>(await renderOverlay('cold'), 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name).sort()).toEqual(serviceNames(graph).sort());
    for (const { name, labels, spec } of podsOf(deployments)) {
      const [container] = spec.containers;
      const { command, image, mem_limit } = compose.services[name]!;
      expect(labels['app.kubernetes.io/component']).toBe('service');
      expect(container?.args).toEqual(command);
      expect(container?.image).toBe(`${image?.split(':')[0] ?? ''}:${version}`);
      expect(container?.resources?.limits?.['memory']).toBe(mem_limit?.replace(/m$/, 'Mi'));
      if (name in regimeSettings('cold', graph).stages)
        expect(container?.resources?.requests?.['cpu']).toBe(`${coresOf(name) * 1_000}m`);
    }
  });

  it('leaves the replicas of stages to the autoscaler and runs one relay and one tracker', async () => {
    const deployments = ofKind<IDeployment>(await renderOverlay('cold'), 'Deployment');
    const replicas = deployments.map(({ metadata, spec }) => [metadata.name, spec?.replicas]);
    const stages = graph.stages.map(({ name }) => [name, undefined]);
    expect(Object.fromEntries(replicas)).toEqual(Object.fromEntries([['relay', 1], ['tracker', 1], ...stages]));
  });

  it('configures the notification targets of MinIO like the launcher', async () => {
    const minio = podsOf(await renderOverlay('cold')).find(({ name }) => name === 'minio')!.spec.containers[0]!;
    const notify = { address: 'nats.fave.svc.cluster.local:4222', user: 'minio', password: '' };
    for (const [name, value] of Object.entries(notifyEnvironment(notify, '/data/queue')))
      expect(minio.env?.find((each) => each.name === name)).toEqual(
        name.includes('_PASSWORD_')
          ? { name, valueFrom: { secretKeyRef: { name: 'minio-root', key: 'NATS_PASSWORD' } } }
          : { name, value },
      );
  });

  const credentials = { accessKey: 'external key', secretKey: 'external secret' };

  it.each([
    ['cold', undefined],
    ['external-store', credentials],
  ])('refers to exactly the Secrets of an installation: %s', async (name, keys) => {
    const created = secretManifests(graph, { bus: {}, store: {} }, keys).map(({ metadata }) => metadata.name);
    const references = JSON.stringify(await renderOverlay(name)).matchAll(
      /"secret(?:Ref|KeyRef|)":\{(?:"key":"[^"]*",)?"(?:name|secretName)":"([^"]+)"/g,
    );
    const names = new Set([...references].map(([, each]) => each));
    // The component `monitoring` refers to this Secret (monitoring.checks.ts).
    expect([...names].sort()).toEqual(created.filter((each) => each !== 'minio-metrics').sort());
  });

  it('gives services the keys of an external store and their own NATS passwords', () => {
    const secrets = secretManifests(graph, { bus: { relay: 'relay password' }, store: {} }, credentials);
    expect(secrets.find(({ metadata }) => metadata.name === 'access-relay')?.stringData).toMatchObject({
      ARTIFACT_ACCESS_KEY: 'external key',
      ARTIFACT_SECRET_KEY: 'external secret',
      NATS_PASSWORD: 'relay password',
    });
  });
});

/** Returns `pod:port name` of the pods behind an address `service.namespace.svc.cluster.local:port`. */
function podsBehind(manifests: readonly Manifest[], address: string): string[] {
  const [, name, namespace, port] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local:(\d+)$/.exec(address) ?? [];
  const service = ofKind<IService>(manifests, 'Service').find(
    ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
  );
  if (!service?.spec?.ports?.some((each) => each.port === Number(port))) return [];
  const selector = Object.entries(service.spec.selector ?? {});
  return podsOf(manifests)
    .filter(({ labels }) => selector.every(([key, value]) => labels[key] === value))
    .flatMap(({ name: pod, spec }) => spec.containers.flatMap(({ ports = [] }) => ports.map((each) => ({ pod, ...each }))))
    .filter(({ containerPort }) => containerPort === Number(port))
    .map(({ pod, name: portName }) => `${pod}:${portName ?? ''}`);
}

describe.each(regimeNames)('overlay %s', { timeout: 900_000 }, (regime) => {
  it('scales each stage by the numbers of the regime', async () => {
    const scaled = ofKind<IScaledObject>(await renderOverlay(regime), 'ScaledObject');
    const { polling_s, stages } = regimeSettings(regime, graph);
    expect(scaled.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(stages).sort());
    for (const { metadata, spec } of scaled) {
      const { min, max, idle_s } = stages[metadata.name]!;
      expect(spec).toEqual({
        scaleTargetRef: { name: metadata.name },
        minReplicaCount: min,
        maxReplicaCount: max,
        cooldownPeriod: idle_s,
        pollingInterval: polling_s,
        advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: idle_s } } } },
        triggers: expect.any(Array),
      });
    }
  });

  it('has a trigger per consumer that set-up creates for a stage, and each reads the monitor of NATS', async () => {
    const manifests = await renderOverlay(regime);
    const { stages } = regimeSettings(regime, graph);
    const triggers = ofKind<IScaledObject>(manifests, 'ScaledObject').flatMap(({ metadata: { name }, spec }) =>
      spec.triggers.map(({ type, metadata }) => {
        const endpoint = metadata['natsServerMonitoringEndpoint'] ?? '';
        expect(podsBehind(manifests, endpoint)).toEqual(['nats:monitor']);
        // All fields: no schema describes those of a trigger.
        expect({ type, metadata }).toEqual({
          type: 'nats-jetstream',
          metadata: {
            account: 'FAVE',
            stream: streams.landed,
            consumer: metadata['consumer'],
            lagThreshold: String(stages[name]?.lag_target),
            activationLagThreshold: '0',
            natsServerMonitoringEndpoint: endpoint,
          },
        });
        return [name, metadata['consumer']];
      }),
    );
    const consumers = graph.stages.flatMap(({ name }) =>
      consumerConfigs(graph, 30)
        .filter(({ stream, config }) => stream === streams.landed && config.durable_name.startsWith(`${name}-`))
        .map(({ config }) => [name, config.durable_name]),
    );
    expect(triggers.sort()).toEqual(consumers.sort());
  });
});

describe('overlays of docs/kubernetes.md', { timeout: 900_000 }, () => {
  const documented = markedBlocks('tested', 'yaml', 'kubernetes.md');
  const imagesOf = (manifests: readonly Manifest[]): (string | undefined)[] =>
    podsOf(manifests).flatMap(({ spec }) => [...spec.containers, ...(spec.initContainers ?? [])].map(({ image }) => image));

  it('pulls every image from the registry, with a tag that the documented upgrade replaces', async () => {
    const text = documented['overlay'] ?? '';
    // The sed command of docs/operations.md.
    const upgraded = text.replace(/newTag: .*/g, "newTag: '1e10'");
    expect(markedBlocks('cluster')['upgrade']).toContain('s/newTag: .*/newTag:');
    for (const [kustomization, tag] of [
      [text, version],
      [upgraded, '1e10'],
    ] as const) {
      const images = imagesOf(await renderText(kustomization));
      expect(images.length).toBeGreaterThan(0);
      for (const image of images)
        expect(image).toMatch(new RegExp(`^registry\\.example/fave-[a-z-]+:${tag.replaceAll('.', '\\.')}$`));
    }
  });

  it('runs SILO in place of MinIO with one setting', async () => {
    const [own, silo] = [await renderOverlay('cold'), await renderText(documented['silo'] ?? '')];
    const text = JSON.stringify(own).replace(`"fave-minio:${version}"`, '"registry.example/silo:RELEASE.2026-08-06T00-00-00Z"');
    expect(silo).toEqual(JSON.parse(text));
    expect(imagesOf(silo)).toContain('registry.example/silo:RELEASE.2026-08-06T00-00-00Z');
  });
});
