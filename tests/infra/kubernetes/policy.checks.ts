import { describe, expect, it } from 'vitest';
import { toolEnvironment } from '../../../shared/tools/limits.ts';
import { computeItemTimeoutSeconds } from '../../../shared/runtime/attempt/deadline.ts';
import { allNames, configMap, ofKind, podsOf, renderOverlay } from './render.ts';

describe.each(allNames)('%s', { timeout: 900_000 }, (name) => {
  it('pins every image to a version', async () => {
    for (const { spec } of podsOf(await renderOverlay(name)))
      for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])])
        expect(image).toMatch(/^fave-[a-z-]+:\d+\.\d+\.\d+$/);
  });

  it('gives every container requests and limits, equal for memory, with room on disk for its directories and logs', async () => {
    for (const { spec } of podsOf(await renderOverlay(name))) {
      for (const { resources: { requests = {}, limits = {} } = {} } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        for (const each of [requests, limits]) expect(Object.keys(each).sort()).toEqual(['cpu', 'ephemeral-storage', 'memory']);
        expect(requests['memory']).toBe(limits['memory']);
        expect(mebibytes(requests['ephemeral-storage'])).toBeLessThanOrEqual(mebibytes(limits['ephemeral-storage']));
      }
      const [{ resources, volumeMounts = [] } = {}] = spec.containers;
      const emptyDirs = volumeMounts.flatMap(
        (mount) => spec.volumes?.find((volume) => volume.name === mount.name)?.emptyDir ?? [],
      );
      const room = emptyDirs.reduce((sum, { sizeLimit }) => sum + mebibytes(sizeLimit), 0);
      // At least 50 MiB remain for logs.
      expect(mebibytes(resources?.limits?.['ephemeral-storage'])).toBeGreaterThanOrEqual(room + 50);
    }
  });

  it('runs under Pod Security `restricted`, which its namespace enforces', async () => {
    const [namespace] = ofKind(await renderOverlay(name), 'Namespace');
    expect(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    for (const { spec } of podsOf(await renderOverlay(name))) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: expect.any(Number), seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(spec.securityContext?.runAsUser).toBeGreaterThan(0);
      expect([spec.hostNetwork, spec.hostPID, spec.hostIPC]).toEqual([undefined, undefined, undefined]);
      for (const { securityContext } of [...spec.containers, ...(spec.initContainers ?? [])])
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      for (const volume of spec.volumes ?? []) expect(volume.hostPath).toBeUndefined();
    }
  });

  it('contains no secret values', async () => {
    const manifests = await renderOverlay(name);
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    for (const { data = {} } of ofKind(manifests, 'ConfigMap'))
      for (const [key, value] of Object.entries(data)) expect(`${key}=${value}`).not.toMatch(/password|secret|access_key/i);
    for (const { spec } of podsOf(manifests))
      for (const { env = [] } of spec.containers)
        for (const { name: variable, value } of env) if (/PASSWORD|SECRET/.test(variable)) expect(value).toBeUndefined();
  });

  it('gives each service more disk than the largest file that a tool may write', async () => {
    for (const { spec } of podsOf(ofKind(await renderOverlay(name), 'Deployment')))
      expect(mebibytes(spec.containers[0]?.resources?.limits?.['ephemeral-storage'])).toBeGreaterThan(
        toolEnvironment.FAVE_TOOL_FILE_MB.default,
      );
  });

  it('gives every Deployment and StatefulSet probes, a disruption budget and spread constraints', async () => {
    const manifests = await renderOverlay(name);
    const budgets = ofKind<{ spec: { selector: { matchLabels: Record<string, string> } } }>(manifests, 'PodDisruptionBudget');
    const workloads = [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')];
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(workloads.map(({ metadata }) => metadata.name).sort());
    for (const { spec, labels } of podsOf(workloads)) {
      expect(budgets.filter((each) => matches(each.spec.selector.matchLabels, labels))).toHaveLength(1);
      expect(spec.topologySpreadConstraints).toHaveLength(2);
      for (const container of spec.containers)
        expect(container).toMatchObject({
          livenessProbe: expect.anything(),
          readinessProbe: expect.anything(),
          startupProbe: expect.anything(),
        });
    }
  });

  it('gives a stopped pod time to finish an item of an 800 MB upload', async () => {
    const manifests = await renderOverlay(name);
    const grace = Number(configMap(manifests, 'environment')['FAVE_GRACE_SECONDS']);
    expect(grace).toBeGreaterThanOrEqual(computeItemTimeoutSeconds(800e6));
    for (const { spec, name: owner } of podsOf(ofKind(manifests, 'Deployment')))
      expect(spec.terminationGracePeriodSeconds, owner).toBeGreaterThan(grace);
  });
});

function mebibytes(quantity: string | number | undefined): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(String(quantity)) ?? [];
  return Number(number) * (unit === 'Gi' ? 1_024 : 1);
}

const matches = (selector: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);
