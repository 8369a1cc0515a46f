import type { JsMsg } from '@nats-io/jetstream';
import { PULL } from '../../shared/bus/connection.ts';
import { followStream } from '../../shared/bus/follow-stream.ts';
import { parseRequestEvent } from '../../shared/bus/request-events.ts';
import { ADVISORY_CONSUMER, streams, TRACKER_CONSUMER } from '../../shared/bus/topology.ts';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import type { LogEvent } from '../../shared/observability/log.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { runLoop } from '../../shared/runtime/service/run-loop.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { createShutdown } from '../../shared/runtime/service/shutdown.ts';
import { handleAdvisory } from './advisories.ts';
import { applyEvent, isOpen, type Runs } from './apply-event.ts';
import { writeCanary } from './canary.ts';
import { createHistory } from './catch-up.ts';
import { registerGauges } from './metrics/gauges.ts';
import { createItemCounters } from './metrics/item-counters.ts';
import { createPerformer } from './perform-effects.ts';
import { publishAccepted } from './publish-accepted.ts';
import { createRemovalCheck } from './removed-requests.ts';
import { forgetExpired } from './retention.ts';
import { createStateWriter } from './state-writer.ts';
import { createSweep } from './sweep.ts';
import { expiredRuns, markTimedOut } from './timeouts.ts';

/** Interval between checks for runs that have timed out (ms). */
const TIMEOUT_INTERVAL_MS = 1_000;

/**
 * Derives the state of every request from the events on `fave.requests.>`, writes the state files and publishes one terminal
 * event per run. The stream is its only memory: a restarted tracker reads it again. Two trackers may run at the same time.
 */
export async function tracker(service: Service, graph: Graph): Promise<void> {
  const { bus, config, drainSignal, log, store } = service;
  const runs: Runs = new Map();
  const shutdown = createShutdown();
  const checkRemoval = createRemovalCheck(service, runs);
  const states = createStateWriter({ store, log, onRemoved: checkRemoval }, shutdown.signal);
  const counters = createItemCounters(service.metrics, graph);
  const perform = createPerformer(service, graph, { runs, states, counters });
  const history = createHistory();
  const sweep = createSweep(service, graph, runs, checkRemoval);
  let isLive = false;
  registerGauges(service, graph, () => [...runs.values()].filter(isOpen).length);

  const warn = (event: LogEvent) => (error: unknown) => {
    log.warn({ event, error, code: codeOf(error) }, messageOf(error));
  };
  const startLoop = (event: LogEvent, intervalMs: number, task: () => Promise<void>, initialDelayMs = 0): void => {
    void runLoop(task, { intervalMs, initialDelayMs, signal: drainSignal, onError: warn(event) });
  };

  const stopEvents = await followStream(bus, { stream: streams.requests, subject: 'fave.requests.>' }, (message) => {
    try {
      const effects = applyEvent(runs, parseRequestEvent(message), message, graph);
      if (isLive) effects.forEach(perform);
      else {
        history.add(effects);
        for (const effect of effects) if (effect.type === 'count-item') counters.restore(effect);
      }
    } catch (error) {
      log.warn({ event: 'tracker:ignored', code: codeOf(error), subject: message.subject }, messageOf(error));
    }
  });
  isLive = true;
  history.effectsOf(runs).forEach(perform);
  history.outdatedStates(store).then((effects) => effects.forEach(perform), warn('tracker:write-failed'));
  startLoop('tracker:write-failed', TIMEOUT_INTERVAL_MS, async () => {
    for (const expired of expiredRuns(runs, { graph, limits: config.limits, nowMs: Date.now() })) {
      await markTimedOut(store, expired);
      perform({ type: 'close-run', run: expired.run });
    }
  });
  startLoop('sweep:failed', config.sweepIntervalSeconds * 1_000, async () => {
    forgetExpired(runs, Date.now());
    await sweep();
  });

  const consume = async (stream: string, name: string, limit: number, handle: typeof publishAccepted) => {
    const consumer = await bus.jetstream.consumers.get(stream, name);
    const callback = (message: JsMsg): void => void handle(service, graph, message);
    return consumer.consume({ ...PULL, max_messages: limit, callback });
  };
  const inputs = await consume(streams.landed, TRACKER_CONSUMER, 200, publishAccepted);
  const advisories = await consume(streams.deadLetters, ADVISORY_CONSUMER, 100, handleAdvisory);
  const canaryMs = config.canaryIntervalSeconds * 1_000;
  if (config.eventSource === 'notifications') startLoop('canary:failed', canaryMs, () => writeCanary(service), canaryMs);
  service.ready();
  await new Promise((resolve) => {
    drainSignal.addEventListener('abort', resolve, { once: true });
  });
  await Promise.all([stopEvents(), inputs.close(), advisories.close()]);
  await shutdown.wait(states.flush());
}
