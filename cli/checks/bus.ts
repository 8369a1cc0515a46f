import { JetStreamApiError } from '@nats-io/jetstream';
import type { Bus } from '../../shared/bus/connection.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { consumerConfigs, streamConfigs } from '../../shared/bus/topology.ts';
import { bad, check, ok, warn, type Check } from './check.ts';
import { formatBytes } from '../output/format.ts';
import { mapConcurrently } from '../../shared/core/map-concurrently.ts';

const GROUP = 'bus';

/** Share of a stream's bound from which its backlog is worth a word. */
const NEARLY_FULL = 0.8;

/** The streams, and every consumer of the graph. */
export async function checkBus(bus: Bus, graph: Graph): Promise<Check[]> {
  const streams = await mapConcurrently(streamConfigs(), ({ name = '' }) => checkStream(bus, name));
  const consumers = await mapConcurrently(consumerConfigs(graph, 1), ({ stream, config }) =>
    checkConsumer(bus, stream, config.durable_name),
  );
  return [...streams, ...consumers];
}

function checkStream({ manager }: Bus, name: string): Promise<Check> {
  return check(GROUP, name, 'npm start makes it', async () => {
    const { state, config } = await manager.streams.info(name).catch(explained('the stream does not exist'));
    const found = `${state.messages} messages, ${formatBytes(state.bytes)}`;
    const full = config.discard === 'new' && config.max_bytes > 0 && state.bytes > NEARLY_FULL * config.max_bytes;
    return full
      ? warn(
          GROUP,
          name,
          `${found} of ${formatBytes(config.max_bytes)}`,
          'nearly full: run more of what consumes it, or uploads will wait',
        )
      : ok(GROUP, name, found);
  });
}

function checkConsumer({ manager }: Bus, stream: string, name: string): Promise<Check> {
  return check(GROUP, name, 'without it the stage gets no work: npm start makes it', async () => {
    const info = await manager.consumers.info(stream, name).catch(explained(`the consumer of ${stream} does not exist`));
    const { num_pending, num_ack_pending, num_redelivered } = info;
    const found = `${num_pending} waiting, ${num_ack_pending} under way, ${num_redelivered} redelivered`;
    if (info.paused === true) return bad(GROUP, name, 'paused', `resume it: nats consumer resume ${stream} ${name}`);
    return num_redelivered > 0
      ? warn(GROUP, name, found, 'its work comes again and again: workers die or servers are away; see its log')
      : ok(GROUP, name, found);
  });
}

/** Words for what JetStream answers with a number. */
function explained(missing: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof JetStreamApiError && error.apiError().code === 404 ? new Error(missing, { cause: error }) : error;
  };
}
