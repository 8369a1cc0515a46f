import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { consumerName, lanesOf } from '../../../shared/bus/topology.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import type { System } from './system.ts';

interface ScaledObject {
  readonly status: {
    readonly externalMetricNames: readonly string[];
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}

const pathOf = (stage: string): string => `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects/${stage}`;

/** Returns the lag of each consumer of a stage as KEDA reports it to the autoscaler, or undefined if KEDA reports an error. */
export async function readKedaLags({ api }: System, { name, consumes }: AnyStage): Promise<Map<string, number> | undefined> {
  const { status } = await api<ScaledObject>(pathOf(name));
  const values = await Promise.all(
    status.externalMetricNames.map(async (metric) => {
      const label = encodeURIComponent(`scaledobject.keda.sh/name=${name}`);
      const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${NAMESPACE}/${metric}?labelSelector=${label}`;
      // If KEDA reaches no server, the response is an error without items.
      const { items = [] } = await api<{ readonly items?: readonly { readonly value: string }[] }>(path);
      return items.map(({ value }) => Number(value));
    }),
  );
  const lanes = lanesOf(consumes);
  if (values.flat().length !== lanes.length) return undefined;
  return new Map(lanes.map((lane, index) => [consumerName(name, lane), values.flat()[index] ?? 0]));
}

/** Returns whether KEDA reports the ScaledObject of a stage as ready. */
export async function isScaled({ api }: System, stage: string): Promise<boolean> {
  const { status } = await api<ScaledObject>(pathOf(stage));
  return status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}
