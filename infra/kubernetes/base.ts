import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INamespace } from 'kubernetes-models/v1/Namespace';
import { readConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { root } from '../process/paths.ts';
import { coresOf, DRAIN_SECONDS, regimeNames, regimeSettings } from '../deployment/regimes.ts';
import { SMALL_MEMORY_MB, servicesWithoutTools } from '../deployment/services.ts';
import { bus, BUS_CONFIG_FILE } from './bus.ts';
import { addressOf, BUS_CONFIG, ENVIRONMENT, hosts, images, literals, NAMESPACE, ports } from './names.ts';
import { networkPolicies } from './network.ts';
import { service, type ServiceEnvironment } from './services.ts';
import { setUpJob } from './set-up.ts';
import { store } from './store.ts';

/** Version of all images that are built here. */
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What every regime has in common, by file. */
export function base(graph: Graph): Record<string, readonly object[]> {
  // A stage's size is the same in every regime.
  const [regime] = regimeNames;
  const { stages } = regimeSettings(regime ?? 'cold', graph);
  const fixed = (name: string): object[] =>
    service({ name, image: images.core, cores: 0.05, memoryMb: SMALL_MEMORY_MB, replicas: 1 });
  return {
    namespace: [namespace],
    store: store(),
    bus: bus(),
    'set-up': [setUpJob()],
    relay: fixed('relay'),
    tracker: fixed('tracker'),
    ...Object.fromEntries(
      Object.entries(stages).map(([name, { memory_mb }]) => [
        name,
        service({
          name,
          image: servicesWithoutTools.includes(name) ? images.core : images.media,
          cores: coresOf(name),
          memoryMb: memory_mb,
        }),
      ]),
    ),
    'network-policies': networkPolicies(),
  };
}

/** Whose pods the cluster refuses where they could harm the node they run on. */
const namespace: INamespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: NAMESPACE,
    labels: Object.fromEntries(['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted'])),
  },
};

/** Kustomize's generators and transformers of the base. */
export function baseGenerators(): object {
  return { configMapGenerator: configMaps(), images: Object.values(images).map((name) => ({ name, newTag: version })) };
}

/** ConfigMaps whose names follow from what they say, so that pods are replaced when it changes. */
function configMaps(): object[] {
  const { region, bucket } = readConfig({}).store;
  const environment = {
    ARTIFACT_ENDPOINT: `http://${addressOf(hosts.store)}:${ports.store}`,
    ARTIFACT_REGION: region,
    ARTIFACT_BUCKET: bucket,
    NATS_URL: `nats://${addressOf(hosts.bus)}:${ports.bus}`,
    FAVE_HTTP_HOST: '0.0.0.0',
    FAVE_HTTP_PORT: String(ports.http),
    FAVE_TMPDIR: '/tmp',
    FAVE_GRACE_SECONDS: String(DRAIN_SECONDS),
  } satisfies ServiceEnvironment;
  return [
    { name: ENVIRONMENT, namespace: NAMESPACE, literals: literals(environment) },
    { name: BUS_CONFIG, namespace: NAMESPACE, files: [BUS_CONFIG_FILE] },
  ];
}
