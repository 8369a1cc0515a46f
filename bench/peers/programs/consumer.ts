/** Receives and validates landed messages like a worker, reports each, and acknowledges it. */
import { connectBus } from '../../../shared/bus/connection.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createLaneConsumer } from '../../../shared/runtime/delivery/lane-consumer.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { parseJson } from '../../../shared/core/validate.ts';
import { sendMark } from '../mark.ts';

const stopping = new AbortController();
process.once('SIGTERM', () => {
  stopping.abort();
});
const bus = await connectBus(readConfig(process.env).bus, 'bench-consumer');
const feed = createLaneConsumer(bus, streams.landed, process.argv.slice(2), createLogger({ service: 'bench-consumer' }));
sendMark('ready');
for (let delivery = await feed.next(stopping.signal); delivery; delivery = await feed.next(stopping.signal)) {
  const { key } = parseJson('landedMessage', delivery.data);
  sendMark('held', key);
  await delivery.ackAck();
}
await bus.close();
process.exit();
