/** Runs a service of the fixture pipeline like `services/main.ts`, and reports its events. */
import type { Bus } from '../../../shared/bus/connection.ts';
import { runService } from '../../../shared/runtime/service/service.ts';
import { runWorker } from '../../../shared/runtime/worker.ts';
import { relay } from '../../../services/relay/relay.ts';
import { tracker } from '../../../services/tracker/tracker.ts';
import { createFixtureGraph } from '../fixture-graph.ts';
import { sendMark } from '../mark.ts';

const name = process.argv[2] ?? '';
const graph = createFixtureGraph(sendMark);

/** Reports each acknowledgement after the server has confirmed it. */
function watchAcknowledgements({ connection }: Bus): void {
  const request = connection.request.bind(connection);
  connection.request = async (subject, ...rest) => {
    const reply = await request(subject, ...rest);
    if (subject.startsWith('$JS.ACK.')) sendMark('acknowledged');
    return reply;
  };
}

await runService(name, async (service) => {
  const deps = {
    ...service,
    ready: () => {
      service.ready();
      sendMark('ready');
    },
  };
  if (name === 'relay') return relay(deps, graph);
  if (name === 'tracker') return tracker(deps, graph);
  watchAcknowledgements(service.bus);
  await runWorker(graph.stage(name), { ...deps, settings: {} });
});
