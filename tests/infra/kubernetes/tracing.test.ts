import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import { expect, it } from 'vitest';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { ofKind, overlay, podsOf } from './overlays.ts';

/** What each service's container is given by ConfigMaps. */
async function environments(name: string): Promise<Record<string, Record<string, string>>> {
  const manifests = await overlay(name);
  const maps = Object.fromEntries(ofKind(manifests, 'ConfigMap').map(({ metadata, data = {} }) => [metadata.name, data]));
  return Object.fromEntries(
    podsOf(ofKind<IDeployment>(manifests, 'Deployment')).map((pod) => {
      const [{ envFrom = [] } = {}] = pod.spec.containers;
      return [pod.name, Object.assign({}, ...envFrom.map(({ configMapRef }) => maps[configMapRef?.name ?? '']))] as const;
    }),
  );
}

it.each([
  ['cold', false],
  ['cold+tracing', true],
])('of %s every service traces: %s', { timeout: 900_000 }, async (name, on) => {
  const found = await environments(name);
  expect(Object.keys(found).sort()).toEqual(serviceNames(graph).sort());
  for (const [service, env] of Object.entries(found)) expect([service, readConfig(env).tracing]).toEqual([service, { on }]);
});
