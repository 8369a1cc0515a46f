import { describe, expect, it } from 'vitest';
import { toolEnvironment } from '../../../shared/tools/limits.ts';
import { computeItemTimeoutSeconds } from '../../../shared/runtime/attempt/deadline.ts';
import { ofKind, overlay, allNames, podsOf } from './overlays.ts';

describe.each(allNames)('%s', { timeout: 900_000 }, (name) => {
  it('pins every image to a version', async () => {
    for (const { spec } of podsOf(await overlay(name)))
      for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])])
        expect(image).toMatch(/^fave-[a-z-]+:\d+\.\d+\.\d+$/);
  });

  it('gives every container requests and limits, of memory the same, and of disk what its directories may hold', async () => {
    for (const { spec } of podsOf(await overlay(name))) {
      for (const { resources: { requests = {}, limits = {} } = {} } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        for (const each of [requests, limits]) expect(Object.keys(each).sort()).toEqual(['cpu', 'ephemeral-storage', 'memory']);
        expect(requests['memory']).toBe(limits['memory']);
        expect(mebibytes(requests['ephemeral-storage'])).toBeLessThanOrEqual(mebibytes(limits['ephemeral-storage']));
      }
      const [{ resources, volumeMounts = [] } = {}] = spec.containers;
      const held = volumeMounts.flatMap((mount) => spec.volumes?.find((volume) => volume.name === mount.name)?.emptyDir ?? []);
      const room = held.reduce((sum, { sizeLimit }) => sum + mebibytes(sizeLimit), 0);
      // Logs have room beside it.
      expect(mebibytes(resources?.limits?.['ephemeral-storage'])).toBeGreaterThanOrEqual(room + 50);
    }
  });

  it('runs under Pod Security `restricted`, and its namespace demands it', async () => {
    const [namespace] = ofKind(await overlay(name), 'Namespace');
    expect(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    for (const { spec } of podsOf(await overlay(name))) {
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

  it('commits no secret: they are referred to by name', async () => {
    const manifests = await overlay(name);
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    for (const { data = {} } of ofKind(manifests, 'ConfigMap'))
      for (const [key, value] of Object.entries(data)) expect(`${key}=${value}`).not.toMatch(/password|secret|access_key/i);
    for (const { spec } of podsOf(manifests))
      for (const { env = [] } of spec.containers)
        for (const { name: variable, value } of env) if (/PASSWORD|SECRET/.test(variable)) expect(value).toBeUndefined();
  });

  it('has more disk for an item than the largest file that a tool may write for it', async () => {
    for (const { spec } of podsOf(ofKind(await overlay(name), 'Deployment')))
      expect(mebibytes(spec.containers[0]?.resources?.limits?.['ephemeral-storage'])).toBeGreaterThan(
        toolEnvironment.FAVE_TOOL_FILE_MB.default,
      );
  });

  it('watches and protects everything that runs for long', async () => {
    const manifests = await overlay(name);
    const budgets = ofKind<{ spec: { selector: { matchLabels: Record<string, string> } } }>(manifests, 'PodDisruptionBudget');
    const lasting = [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')];
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(lasting.map(({ metadata }) => metadata.name).sort());
    for (const { spec, labels } of podsOf(lasting)) {
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

  it('lets a pod that is told to stop finish its item, of uploads of 800 MB and more', async () => {
    const manifests = await overlay(name);
    const environment = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('environment-'));
    const grace = Number(environment?.data?.['FAVE_GRACE_SECONDS']);
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
