import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { allNames, ofKind, podsOf, renderOverlay, type Manifest } from './render.ts';
import { clusterVersions, faults, schemas } from './schemas.ts';

describe('schemas of Kubernetes, KEDA and the Prometheus operator', { timeout: 900_000 }, () => {
  it.each(allNames)('accepts every manifest of %s', async (name) => {
    const manifests = await renderOverlay(name);
    expect(manifests.length).toBeGreaterThan(30);
    expect(manifests.flatMap((manifest) => faults(manifest).map((fault) => `${manifest.metadata.name}: ${fault}`))).toEqual([]);
  });

  it('accepts the Secrets of an installation', () => {
    expect(secretManifests(graph, { bus: {}, store: {} }).flatMap((secret) => faults(secret as Manifest))).toEqual([]);
  });

  it('has the versions of the test cluster', async () => {
    const { kubernetes, keda, operator } = await clusterVersions();
    expect(schemas.from.map((module) => module.split('@v')[1])).toEqual([kubernetes, keda, operator]);
  });
});

/** Returns a copy of a value in which a property has another name. */
function renameProperty(value: unknown, name: string, other: string): unknown {
  if (Array.isArray(value)) return value.map((each) => renameProperty(each, name, other));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key === name ? other : key, renameProperty(each, name, other)]),
  );
}

describe('faults', { timeout: 900_000 }, () => {
  it.each([
    ['Deployment', 'livenessProbe', 'livenesProbe'],
    ['Deployment', 'timeoutSeconds', 'timeoutSecond'],
    ['Deployment', 'terminationGracePeriodSeconds', 'terminationGracePeriodSecond'],
    ['StatefulSet', 'volumeClaimTemplates', 'volumeClaimTemplate'],
    ['NetworkPolicy', 'podSelector', 'podSelectr'],
    ['ScaledObject', 'cooldownPeriod', 'coolDownPeriod'],
    ['PodMonitor', 'selector', 'selectr'],
    ['ServiceMonitor', 'path', 'paht'],
    ['PrometheusRule', 'annotations', 'anotations'],
  ])('reports a %s with %s misspelt as %s', async (kind, name, other) => {
    const manifests = ofKind(await renderOverlay('cold+monitoring'), kind);
    expect(manifests.flatMap(faults)).toEqual([]);
    const broken = manifests.map((manifest) => renameProperty(manifest, name, other) as Manifest);
    expect(broken.flatMap(faults).join()).toContain(`"additionalProperty":"${other}"`);
  });

  it('reports a wrong type, missing fields and an unknown kind', async () => {
    const [scaled] = ofKind<{ spec: object }>(await renderOverlay('cold'), 'ScaledObject');
    expect(faults({ ...scaled!, spec: { ...scaled!.spec, pollingInterval: 'often' } } as Manifest)).toHaveLength(1);
    const [deployment] = ofKind(await renderOverlay('cold'), 'Deployment');
    expect(faults({ ...deployment!, spec: { replicas: 1 } } as Manifest)).toHaveLength(2);
    expect(faults({ ...deployment!, apiVersion: 'apps/v2' })).toHaveLength(1);
  });

  it('accepts labels of any name', async () => {
    const [pod] = podsOf(await renderOverlay('cold'));
    expect(Object.keys(pod!.labels)).toContain('app.kubernetes.io/component');
  });
});
