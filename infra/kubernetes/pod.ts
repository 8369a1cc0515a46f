import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { labels, selector, type Component } from './names.ts';

/** User and group of every process: numeric, or `runAsNonRoot` could not be proved. */
const USER = 1_000;

export interface PodOptions {
  readonly name: string;
  readonly component: Component;
  readonly container: Omit<IContainer, 'name' | 'resources'>;
  readonly size: Size & { readonly tmpMb: number };
  /** Seconds from SIGTERM to SIGKILL. */
  readonly grace: number;
  readonly more?: Partial<IPodSpec>;
}

/** What a container may take. */
export interface Size {
  /** Cores that are kept for it, and that it may take where nobody else wants them. */
  readonly cpu: { readonly request: number; readonly limit: number };
  readonly memoryMb: number;
  /** Of /tmp, which is all that a container may write to. */
  readonly tmpMb?: number;
}

/** A pod under Pod Security `restricted`, with a root file system that nobody writes to and no access to the cluster's API. */
export function podTemplate({ name, component, container, size, grace, more = {} }: PodOptions): IPodTemplateSpec {
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
          securityContext: restrictedSecurityContext,
          resources: resources(size),
          ...container,
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...(container.volumeMounts ?? [])],
        },
      ],
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: `${size.tmpMb}Mi` } }, ...(more.volumes ?? [])],
    },
  };
}

/** What no container may do: write to its image, become root, use a capability. */
export const restrictedSecurityContext: NonNullable<IContainer['securityContext']> = {
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

/** What a container logs until the kubelet, by its defaults, keeps no more of it: five files of 10 MB. */
const LOGS_MB = 64;

/** How much of the disk that it may take is kept for a container: most items are small, and nodes hold several large ones. */
const KEPT = 1 / 16;

/**
 * Requests are what the scheduler counts with, limits what the kernel and the kubelet hold to; memory is both, so that no pod is evicted
 * for another's.
 */
export function resources({ cpu, memoryMb, tmpMb = 0 }: Size): NonNullable<IContainer['resources']> {
  const memory = `${memoryMb}Mi`;
  const disk = tmpMb + LOGS_MB;
  return {
    requests: { cpu: `${cpu.request * 1_000}m`, memory, 'ephemeral-storage': `${disk * KEPT}Mi` },
    limits: { cpu: `${cpu.limit * 1_000}m`, memory, 'ephemeral-storage': `${disk}Mi` },
  };
}
