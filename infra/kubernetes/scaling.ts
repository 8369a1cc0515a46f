import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import type { RegimeSettings } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { consumerName, lanesOf, streams } from '../../shared/bus/topology.ts';
import { addressOf, hosts, labels, NAMESPACE, ports } from './names.ts';

/** Account of the bus that clients without an account of their own are in. */
const ACCOUNT = '$G';

/**
 * How many pods each stage has under a regime: KEDA reads the lag of the consumers of its lanes (`num_pending + num_ack_pending`,
 * so an item that is worked on keeps its pod), takes it from and to zero, and leaves what lies between to an HPA.
 */
export function scaledObjects({ stages }: Graph, settings: RegimeSettings): IScaledObject[] {
  return stages.map(({ name, consumes }) => {
    const scaling = settings.stages[name];
    if (!scaling) throw new Error(`the regime has no numbers for ${name}`);
    return {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name, namespace: NAMESPACE, labels: labels(name, 'service') },
      spec: {
        scaleTargetRef: { name },
        minReplicaCount: scaling.min,
        maxReplicaCount: scaling.max,
        pollingInterval: settings.polling_s,
        cooldownPeriod: scaling.idle_s,
        // To zero after the cool-down, to fewer after as long: the same patience, as the local scaler has it (infra/scaler/decide.ts).
        advanced: {
          horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: scaling.idle_s } } },
        },
        triggers: lanesOf(consumes).map((lane) => trigger(consumerName(name, lane), scaling.lag_target)),
      },
    };
  });
}

function trigger(consumer: string, lagTarget: number): IScaledObject['spec']['triggers'][number] {
  return {
    type: 'nats-jetstream',
    metadata: {
      natsServerMonitoringEndpoint: `${addressOf(hosts.busNodes)}:${ports.monitor}`,
      account: ACCOUNT,
      stream: streams.landed,
      consumer,
      lagThreshold: String(lagTarget),
      activationLagThreshold: '0',
    },
  };
}
