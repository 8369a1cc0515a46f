import { PULL } from '../../shared/bus/connection.ts';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import { followStream } from '../../shared/bus/follow-stream.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { ADVISORY_CONSUMER, streams, TRACKER_CONSUMER } from '../../shared/bus/topology.ts';
import { publishAccepted } from './publish-accepted.ts';
import { startCanary } from './canary.ts';
import { registerGauges } from './gauges.ts';
import { takeAdvisory } from './advisories.ts';
import { createRuns } from './run-registry.ts';
import { startSweeping } from './sweep.ts';

/**
 * Counts what the events on `fave.requests.>` tell, writes each request's state file and says `completed` or `failed`, once.
 * It keeps nothing: a restart reads the stream again. Two may run at once; JetStream stores the first one's closing event.
 */
export async function tracker(service: Service, graph: Graph): Promise<void> {
  const { bus, log, drainSignal } = service;
  const runs = createRuns(service, graph);
  const sweeping = startSweeping(service, graph, runs);
  registerGauges(service, graph, runs);
  const caughtUp = (): void => {
    runs.caughtUp();
    sweeping.begin();
  };

  const { state } = await bus.manager.streams.info(streams.requests);
  const reading = await followStream(bus, { stream: streams.requests }, (message) => {
    try {
      runs.take(message);
    } catch (error) {
      log.warn({ event: 'tracker:ignored', code: codeOf(error), subject: message.subject }, messageOf(error));
    }
    if (message.seq >= state.last_seq) caughtUp();
  });
  if (state.messages === 0) caughtUp();

  const inputs = await bus.jetstream.consumers.get(streams.landed, TRACKER_CONSUMER);
  const accepting = await inputs.consume({
    ...PULL,
    max_messages: 200,
    callback: (message) => void publishAccepted(service, graph, message),
  });
  const advisories = await bus.jetstream.consumers.get(streams.deadLetters, ADVISORY_CONSUMER);
  const advised = await advisories.consume({
    ...PULL,
    max_messages: 100,
    callback: (message) => void takeAdvisory(service, graph, message),
  });
  const stopCanary = startCanary(service);
  service.ready();
  await new Promise((resolve) => {
    drainSignal.addEventListener('abort', resolve, { once: true });
  });
  await Promise.all([reading.close(), accepting.close(), advised.close()]);
  stopCanary();
  sweeping.stop();
  await runs.stop();
}
