import { JetStreamApiError } from '@nats-io/jetstream';
import type { Bus } from '../../shared/bus/connection.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { consumerConfigs, streamConfigs } from '../../shared/bus/topology.ts';
import { bad, check, ok, warn, type Check } from './check.ts';
import { formatBytes } from '../output/format.ts';
import { mapConcurrently } from '../../shared/core/map-concurrently.ts';

const GROUP = 'bus';

/** Fraction of a stream's size limit from which a warning is shown. */
const FULL_WARNING_FRACTION = 0.8;

/** Checks the streams and the consumers of the graph. */
export async function checkBus(bus: Bus, graph: Graph): Promise<Check[]> {
  const streams = await mapConcurrently(streamConfigs(), ({ name = '' }) => checkStream(bus, name));
  const consumers = await mapConcurrently(consumerConfigs(graph, 1), ({ stream, config }) =>
    checkConsumer(bus, stream, config.durable_name),
  );
  return [...streams, ...consumers];
}

function checkStream({ manager }: Bus, name: string): Promise<Check> {
  return check(GROUP, name, 'npm start creates it', async () => {
    const { state, config } = await manager.streams.info(name).catch(explainNotFound('the stream does not exist'));
    const found = `${state.messages} messages, ${formatBytes(state.bytes)}`;
    const full = config.discard === 'new' && config.max_bytes > 0 && state.bytes > FULL_WARNING_FRACTION * config.max_bytes;
    return full
      ? warn(
          GROUP,
          name,
          `${found} of ${formatBytes(config.max_bytes)}`,
          'nearly full: run more replicas of its consumers, or uploads will wait',
        )
      : ok(GROUP, name, found);
  });
}

function checkConsumer({ manager }: Bus, stream: string, name: string): Promise<Check> {
  return check(GROUP, name, 'the stage receives no items without it; npm start creates it', async () => {
    const info = await manager.consumers.info(stream, name).catch(explainNotFound(`the consumer of ${stream} does not exist`));
    const { num_pending, num_ack_pending, num_redelivered } = info;
    const found = `${num_pending} waiting, ${num_ack_pending} in progress, ${num_redelivered} redelivered`;
    if (info.paused === true) return bad(GROUP, name, 'paused', `resume it: nats consumer resume ${stream} ${name}`);
    return num_redelivered > 0
      ? warn(GROUP, name, found, 'workers crash or lose their servers: see the log of the stage')
      : ok(GROUP, name, found);
  });
}

/** Returns a handler that replaces JetStream's not-found error by a message. */
function explainNotFound(missing: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof JetStreamApiError && error.apiError().code === 404 ? new Error(missing, { cause: error }) : error;
  };
}
