import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { allNames, ofKind, overlay, podsOf, type Manifest } from './overlays.ts';
import { clusterVersions, faults, schemas } from './schemas.ts';

describe('schemas of Kubernetes, KEDA and the Prometheus operator', { timeout: 900_000 }, () => {
  it.each(allNames)('hold for every manifest of %s', async (name) => {
    const manifests = await overlay(name);
    expect(manifests.length).toBeGreaterThan(30);
    expect(manifests.flatMap((manifest) => faults(manifest).map((fault) => `${manifest.metadata.name}: ${fault}`))).toEqual([]);
  });

  it('hold for the Secrets that an installation makes', () => {
    expect(secretManifests(graph, { bus: {}, store: {} }).flatMap((secret) => faults(secret as Manifest))).toEqual([]);
  });

  it('are those of what the test cluster runs', async () => {
    const { kubernetes, keda, operator } = await clusterVersions();
    expect(schemas.from.map((module) => module.split('@v')[1])).toEqual([kubernetes, keda, operator]);
  });
});

/** A copy of a value in which one property is called otherwise. */
function renamed(value: unknown, name: string, other: string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, name, other));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key === name ? other : key, renamed(each, name, other)]));
}

describe('what does not fit is refused', { timeout: 900_000 }, () => {
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
  ])('a %s with %s written as %s', async (kind, name, other) => {
    const manifests = ofKind(await overlay('cold+monitoring'), kind);
    expect(manifests.flatMap(faults)).toEqual([]);
    const broken = manifests.map((manifest) => renamed(manifest, name, other) as Manifest);
    expect(broken.flatMap(faults).join()).toContain(`"additionalProperty":"${other}"`);
  });

  it('a value of another type, what is missing, and a kind that nobody knows', async () => {
    const [scaled] = ofKind<{ spec: object }>(await overlay('cold'), 'ScaledObject');
    expect(faults({ ...scaled!, spec: { ...scaled!.spec, pollingInterval: 'often' } } as Manifest)).toHaveLength(1);
    const [deployment] = ofKind(await overlay('cold'), 'Deployment');
    expect(faults({ ...deployment!, spec: { replicas: 1 } } as Manifest)).toHaveLength(2);
    expect(faults({ ...deployment!, apiVersion: 'apps/v2' })).toHaveLength(1);
  });

  it('though a label may have any name', async () => {
    const [pod] = podsOf(await overlay('cold'));
    expect(Object.keys(pod!.labels)).toContain('app.kubernetes.io/component');
  });
});
