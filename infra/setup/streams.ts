import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';
import { undefinedIfNotFound } from '../../shared/bus/connection.ts';
import { consumerConfigs, streamConfigs } from '../../shared/bus/topology.ts';
import type { SetUpOptions } from './options.ts';

/** Creates and updates the streams. @returns Descriptions of the changes. */
export async function setUpStreams({ bus, streamReplicas }: Pick<SetUpOptions, 'bus' | 'streamReplicas'>): Promise<string[]> {
  const changes: string[] = [];
  for (const config of streamConfigs(streamReplicas)) {
    const name = String(config.name);
    const existing = await undefinedIfNotFound(bus.manager.streams.info(name));
    if (!existing) {
      await bus.manager.streams.add(config as StreamConfig & { name: string });
      changes.push(`made stream ${name}`);
    } else if (differs(config, existing.config)) {
      await bus.manager.streams.update(name, config);
      changes.push(`updated stream ${name}`);
    }
  }
  return changes;
}

/**
 * Creates and updates the durable consumers, and deletes those of removed stages: with interest retention an unused consumer
 * retains every message.
 * @returns Descriptions of the changes.
 */
export async function setUpConsumers({
  bus,
  graph,
  ackWaitSeconds,
}: Pick<SetUpOptions, 'bus' | 'graph' | 'ackWaitSeconds'>): Promise<string[]> {
  const changes: string[] = [];
  const wanted = consumerConfigs(graph, ackWaitSeconds);
  for (const { stream, config } of wanted) {
    const existing = await undefinedIfNotFound(bus.manager.consumers.info(stream, config.durable_name));
    if (existing && !differs(config, existing.config)) continue;
    // The server rejects changes of immutable fields, such as the deliver policy, with a reason.
    if (existing) await bus.manager.consumers.update(stream, config.durable_name, config);
    else await bus.manager.consumers.add(stream, config);
    changes.push(`${existing ? 'updated' : 'made'} consumer ${config.durable_name} of ${stream}`);
  }
  for (const stream of new Set(wanted.map((spec) => spec.stream))) {
    const names = new Set(wanted.filter((spec) => spec.stream === stream).map((spec) => spec.config.durable_name));
    for await (const { name, config } of bus.manager.consumers.list(stream)) {
      if (config.durable_name === undefined || names.has(name)) continue;
      await bus.manager.consumers.delete(stream, name);
      changes.push(`deleted consumer ${name} of ${stream}`);
    }
  }
  return changes;
}

/** Returns whether a requested field differs. Other fields are left to the server. */
function differs(wanted: Partial<StreamConfig | ConsumerConfig>, existing: object): boolean {
  const actual = existing as Record<string, unknown>;
  return Object.entries(wanted).some(([name, value]) => JSON.stringify(actual[name]) !== JSON.stringify(value));
}
