import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { labels, selector, type Component } from './names.ts';

/** User and group of every process: numeric, or `runAsNonRoot` could not be proved. */
const USER = 1_000;

export interface PodOptions {
  readonly name: string;
  readonly component: Component;
  readonly container: Omit<IContainer, 'name'>;
  /** Bytes of /tmp, which is all that a service may write to. */
  readonly tmp: string;
  /** Seconds from SIGTERM to SIGKILL. */
  readonly grace: number;
  readonly more?: Partial<IPodSpec>;
}

/** A pod under Pod Security `restricted`, with a root file system that nobody writes to and no access to the cluster's API. */
export function podTemplate({ name, component, container, tmp, grace, more = {} }: PodOptions): IPodTemplateSpec {
  return {
    metadata: { labels: labels(name, component) },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: grace,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      topologySpreadConstraints: spread(name),
      ...more,
      containers: [
        {
          name,
          imagePullPolicy: 'IfNotPresent',
          securityContext: confined,
          ...container,
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...(container.volumeMounts ?? [])],
        },
      ],
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: tmp } }, ...(more.volumes ?? [])],
    },
  };
}

/** What no container may do: write to its image, become root, use a capability. */
export const confined: NonNullable<IContainer['securityContext']> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Replicas apart from each other where there is a choice: one node or zone that fails should not take all of them. */
function spread(name: string): NonNullable<IPodSpec['topologySpreadConstraints']> {
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: selector(name),
  }));
}

/** Requests are what the scheduler counts with, limits what the kernel holds to; memory is both, so that no pod is evicted for another's. */
export function resources(cpu: { request: string; limit: string }, memoryMb: number): NonNullable<IContainer['resources']> {
  const memory = `${memoryMb}Mi`;
  return { requests: { cpu: cpu.request, memory }, limits: { cpu: cpu.limit, memory } };
}
