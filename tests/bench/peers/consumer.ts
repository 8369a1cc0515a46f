/** Takes what lands on some consumers exactly as a worker does, up to the validated item, and acknowledges it. */
import { connectBus } from '../../../shared/bus.ts';
import { readConfig } from '../../../shared/config.ts';
import { createLogger } from '../../../shared/log.ts';
import { createFeed } from '../../../shared/runtime/feed.ts';
import { streams } from '../../../shared/topology.ts';
import { parsed } from '../../../shared/validate.ts';
import { mark } from './mark.ts';

const stopping = new AbortController();
process.once('SIGTERM', () => {
  stopping.abort();
});
const bus = await connectBus(readConfig(process.env).bus, 'bench-consumer');
const feed = createFeed(bus, streams.landed, process.argv.slice(2), createLogger({ service: 'bench-consumer' }));
mark('ready');
for (let delivery = await feed.next(stopping.signal); delivery; delivery = await feed.next(stopping.signal)) {
  const { key } = parsed('landed', delivery.data);
  mark('held', key);
  await delivery.ackAck();
}
await bus.close();
process.exit();
