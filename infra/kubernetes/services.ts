import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { environmentSchema } from '../../shared/config/config.ts';
import { toolEnvironment } from '../../shared/tools/limits.ts';
import { DRAIN_SECONDS } from '../deployment/regimes.ts';
import { ENVIRONMENT, labels, NAMESPACE, ports, secretOf, selector } from './names.ts';
import { podTemplate } from './pod.ts';

/** Seconds after the time to drain in which a process gives back what it did not finish. */
const FAREWELL = 30;

/**
 * Room for an item: its source, beside that in a container that can be entered anywhere, and a clip. As much as the largest file of a tool
 * (FAVE_TOOL_FILE_MB).
 */
const SCRATCH_MB = toolEnvironment.FAVE_TOOL_FILE_MB.default;

/** Names of the environment that FAVE's processes read; a name that shared/config/config.ts does not know is a type error. */
export type ServiceEnvironment = Partial<Record<keyof typeof environmentSchema, string>>;

export interface ServiceOptions {
  readonly name: string;
  readonly image: string;
  /** Cores that are kept for it. */
  readonly cores: number;
  readonly memoryMb: number;
  /** Undefined where the autoscaler decides: a number here would be set again by every `kubectl apply`. */
  readonly replicas?: number;
}

/** A process of FAVE's, as a Deployment that drains before it goes, and what keeps a drained node from taking all of it at once. */
export function service({ name, image, cores, memoryMb, replicas }: ServiceOptions): [IDeployment, IPodDisruptionBudget] {
  const container: Omit<IContainer, 'name' | 'resources'> = {
    image,
    args: [name],
    envFrom: [{ configMapRef: { name: ENVIRONMENT } }, { secretRef: { name: secretOf(name) } }],
    env: [memoryLimit],
    ports: [{ name: 'http', containerPort: ports.http }],
    ...probes,
  };
  const size = { cpu: { request: cores, limit: 2 }, memoryMb, tmpMb: SCRATCH_MB };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: NAMESPACE, labels: labels(name, 'service') },
      spec: {
        ...(replicas !== undefined && { replicas }),
        selector: selector(name),
        template: podTemplate({ name, component: 'service', container, size, grace: DRAIN_SECONDS + FAREWELL }),
      },
    },
    budget(name, 'service'),
  ];
}

/** At most one pod at a time is taken by a node that is drained. */
export function budget(name: string, component: 'service' | 'store' | 'bus'): IPodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: NAMESPACE, labels: labels(name, component) },
    spec: { maxUnavailable: 1, selector: selector(name), unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  };
}

/** The container's own limit, so that the cost proxy and the kernel cannot disagree. */
const memoryLimit: NonNullable<IContainer['env']>[number] = {
  name: 'FAVE_MEMORY_LIMIT_MB' satisfies keyof ServiceEnvironment,
  valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
};

/**
 * Ready within a minute, later dead after a minute without an answer: a detector holds its thread for as long as a frame takes.
 * A stopping process says 503, which kills nothing, as the kubelet asks no pod that it has told to stop whether it lives.
 */
const probes: Pick<IContainer, 'startupProbe' | 'livenessProbe' | 'readinessProbe'> = {
  startupProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 },
  readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 5, timeoutSeconds: 5 },
};
