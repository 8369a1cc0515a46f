import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { environmentSchema } from '../../../shared/config/config.ts';
import { consumerConfigs, streams } from '../../../shared/bus/topology.ts';
import { manifestFiles } from '../../../infra/kubernetes/files.ts';
import { secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { root } from '../../../infra/process/paths.ts';
import { coresOf, regimeNames, regimeSettings } from '../../../infra/deployment/regimes.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { ofKind, overlay, podsOf, type Manifest } from './overlays.ts';

interface Compose {
  readonly services: Readonly<Record<string, { command?: string[]; image?: string; mem_limit?: string }>>;
}

const compose = parse(await readFile(join(root, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;

describe('what is committed', () => {
  const files = manifestFiles(graph);

  it.each(Object.keys(files))('k8s/%s follows from the code', async (path) => {
    expect(await readFile(join(root, 'k8s', path), 'utf8')).toBe(files[path]);
  });
});

describe('the base', { timeout: 900_000 }, () => {
  it('runs the services that the launcher runs, in the images and with the memory that compose gives them', async () => {
    const deployments = ofKind<IDeployment>(await overlay('cold'), 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name).sort()).toEqual(serviceNames(graph).sort());
    for (const { name, spec } of podsOf(deployments)) {
      const [container] = spec.containers;
      const { command, image, mem_limit } = compose.services[name]!;
      expect(container?.args).toEqual(command);
      expect(container?.image?.split(':')[0]).toBe(image?.split(':')[0]);
      expect(container?.resources?.limits?.['memory']).toBe(mem_limit?.replace(/m$/, 'Mi'));
    }
  });

  it('keeps for a pod of a stage the cores that the one file says', async () => {
    for (const { name, spec } of podsOf(ofKind<IDeployment>(await overlay('cold'), 'Deployment')))
      if (!['relay', 'tracker'].includes(name))
        expect([name, spec.containers[0]?.resources?.requests?.['cpu']]).toEqual([name, `${coresOf(name) * 1_000}m`]);
  });

  it('names only variables that a process reads', async () => {
    const maps = ofKind(await overlay('cold'), 'ConfigMap').filter(({ metadata }) => metadata.name.startsWith('environment-'));
    const services = podsOf(ofKind(await overlay('cold'), 'Deployment')).flatMap(({ spec }) => spec.containers);
    const secrets = secretManifests(graph, { bus: {}, store: {} }).filter(({ stringData = {} }) => 'NATS_USER' in stringData);
    const names = [
      ...maps.flatMap(({ data = {} }) => Object.keys(data)),
      ...services.flatMap(({ env = [] }) => env.map(({ name }) => name)),
      ...secrets.flatMap(({ stringData = {} }) => Object.keys(stringData)),
    ];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !(name in environmentSchema))).toEqual([]);
  });

  const given = { accessKey: 'theirs', secretKey: 'theirs too' };

  it.each([
    ['cold', undefined],
    ['external-store', given],
  ])('refers to exactly the Secrets that are made: %s', async (name, keys) => {
    const made = secretManifests(graph, { bus: {}, store: {} }, keys).map(({ metadata }) => metadata?.name);
    const asked = JSON.stringify(await overlay(name)).matchAll(
      /"secret(?:Ref|KeyRef|)":\{(?:"key":"[^"]*",)?"(?:name|secretName)":"([^"]+)"/g,
    );
    const names = [...new Set([...asked].map(([, each]) => each))];
    expect(names.sort()).toEqual([...made].sort());
  });

  it('has every service use the keys of a store that is somebody else’s, and their own on the bus', () => {
    const secrets = secretManifests(graph, { bus: { relay: 'of the relay' }, store: {} }, given);
    const relay = secrets.find(({ metadata }) => metadata?.name === 'access-relay')?.stringData;
    expect(relay).toMatchObject({
      ARTIFACT_ACCESS_KEY: 'theirs',
      ARTIFACT_SECRET_KEY: 'theirs too',
      NATS_PASSWORD: 'of the relay',
    });
  });

  it('leaves the number of a stage’s pods to the autoscaler, and runs one relay and one tracker', async () => {
    const replicas = ofKind<IDeployment>(await overlay('cold'), 'Deployment').map(({ metadata, spec }) => [
      metadata.name,
      spec?.replicas,
    ]);
    const stages = graph.stages.map(({ name }) => [name, undefined]);
    expect(Object.fromEntries(replicas)).toEqual(Object.fromEntries([['relay', 1], ['tracker', 1], ...stages]));
  });
});

/** Pods, with the names of their ports, behind an address of the cluster: `service.namespace.svc.cluster.local:port`. */
function servedBy(manifests: readonly Manifest[], address: string): string[] {
  const [, name, namespace, port] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local:(\d+)$/.exec(address) ?? [];
  const service = ofKind<IService>(manifests, 'Service').find(
    ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
  );
  if (!service?.spec?.ports?.some((each) => each.port === Number(port))) return [];
  const wanted = Object.entries(service.spec.selector ?? {});
  return podsOf(manifests)
    .filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value))
    .flatMap(({ name: pod, spec }) => spec.containers.flatMap(({ ports = [] }) => ports.map((each) => ({ pod, ...each }))))
    .filter(({ containerPort }) => containerPort === Number(port))
    .map(({ pod, name: portName }) => `${pod}:${portName ?? ''}`);
}

describe.each(regimeNames)('regime %s', { timeout: 900_000 }, (regime) => {
  it('has the numbers of the one file, and a trigger for every consumer that set-up makes for stages', async () => {
    const scaled = ofKind<IScaledObject>(await overlay(regime), 'ScaledObject');
    const { polling_s, stages } = regimeSettings(regime, graph);
    expect(scaled.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(stages).sort());
    for (const { metadata, spec } of scaled) {
      const wanted = stages[metadata.name]!;
      expect(spec).toMatchObject({
        scaleTargetRef: { name: metadata.name },
        minReplicaCount: wanted.min,
        maxReplicaCount: wanted.max,
        cooldownPeriod: wanted.idle_s,
        pollingInterval: polling_s,
      });
    }
    expect(polling_s).toBeGreaterThanOrEqual(2);
    expect(polling_s).toBeLessThanOrEqual(5);
    const triggers = scaled.flatMap(({ spec }) => spec.triggers.map(({ metadata }) => `${metadata.stream}/${metadata.consumer}`));
    const consumers = consumerConfigs(graph, 30)
      .filter(({ config }) => graph.stages.some(({ name }) => config.durable_name.startsWith(`${name}-`)))
      .map(({ stream, config }) => `${stream}/${config.durable_name}`);
    expect(triggers.sort()).toEqual(consumers.sort());
  });

  it('reads the lag of the account that clients are in, where the overlay serves it', async () => {
    const manifests = await overlay(regime);
    const { stages } = regimeSettings(regime, graph);
    for (const { metadata, spec } of ofKind<IScaledObject>(manifests, 'ScaledObject'))
      for (const { type, metadata: trigger } of spec.triggers) {
        expect(type).toBe('nats-jetstream');
        // Every field: those of a trigger are in no schema.
        expect(trigger).toEqual({
          account: '$G',
          stream: streams.landed,
          consumer: expect.stringMatching(new RegExp(`^${metadata.name}-[a-z]+$`)) as string,
          lagThreshold: String(stages[metadata.name]?.lag_target),
          activationLagThreshold: '0',
          natsServerMonitoringEndpoint: expect.any(String) as string,
        });
        expect(servedBy(manifests, trigger['natsServerMonitoringEndpoint'] ?? '')).toEqual(['nats:monitor']);
      }
  });
});
