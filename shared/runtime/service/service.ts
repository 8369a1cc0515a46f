import { setPriority } from 'node:os';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectBus, type Bus } from '../../bus/connection.ts';
import { readConfig, type Config } from '../../config/config.ts';
import { messageOf, PermanentError } from '../../core/errors.ts';
import { createLogger, type Logger } from '../../observability/log.ts';
import { createStore, type Store } from '../../store/store.ts';
import { createMetrics, type Metrics } from './metrics.ts';

export interface Service {
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly bus: Bus;
  readonly store: Store;
  readonly metrics: Metrics;
  /** Aborts when the process is told to stop: take no more work. */
  readonly drainSignal: AbortSignal;
  /** Aborts when the grace period is over: give back the work that is left. */
  readonly killSignal: AbortSignal;
  /** Says that the service takes work from now on. @param start What a stage's start took. */
  ready(start?: { readonly model_ms: number }): void;
}

/** Message that a service sends to its parent process over IPC when it takes work. All times are in milliseconds. */
export interface ReadyMessage {
  readonly type: 'ready';
  /** Port of /metrics and /healthz. */
  readonly http: number;
  /** Start of the process, since the epoch. */
  readonly started: number;
  /** Parts of the cold start; `model_ms` only for a stage. */
  readonly imports_ms?: number;
  readonly connections_ms?: number;
  readonly model_ms?: number;
  /** Time from the start of the process until it is ready. */
  readonly ready_ms: number;
}

/** Runs a service as this process: configuration, connections, /metrics and /healthz, and an orderly stop on SIGTERM or SIGINT. */
export async function runService(name: string, run: (service: Service) => Promise<void>): Promise<void> {
  const begun = performance.now();
  let log = createLogger({ service: name });
  const stop = new AbortController();
  const kill = new AbortController();
  try {
    const config = readConfig(process.env);
    log = createLogger({ service: name }, config.logLevel);
    if (config.nice > 0) setPriority(config.nice);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.info({ event: 'service:stop', signal });
        const end = (): void => {
          kill.abort(new Error('the process is stopping'));
        };
        // Told twice, there is no time left: the items are given back now.
        if (stop.signal.aborted) end();
        stop.abort(new Error('the process is stopping'));
        setTimeout(end, config.grace * 1_000).unref();
      });
    }
    const metrics = createMetrics(name, config.tmpdir);
    if (config.tracing.refused !== undefined) log.warn({ event: 'telemetry:failed' }, config.tracing.refused);
    const endTelemetry = config.tracing.on
      ? (await import('../../observability/telemetry.ts')).startTelemetry(name, log)
      : undefined;
    const store = createStore(config.store, metrics.store);
    const bus = await connectBus(config.bus, name);
    const connected = performance.now();
    let isReady = false;
    const server = await serveHttp(config, metrics, () => isReady && !stop.signal.aborted && !bus.connection.isClosed());
    const service: Service = {
      name,
      config,
      log,
      bus,
      store,
      metrics,
      drainSignal: stop.signal,
      killSignal: kill.signal,
      ready: (start) => {
        isReady = true;
        const parts = { imports: begun, connections: connected - begun, ...(start && { model: start.model_ms }) };
        const { port } = server.address() as AddressInfo;
        const report = {
          http: port,
          started: Math.round(performance.timeOrigin),
          ...Object.fromEntries(Object.entries(parts).map(([part, ms]) => [`${part}_ms`, Math.round(ms)])),
          ready_ms: Math.round(performance.now()),
        };
        sendToParent({ type: 'ready', ...report });
        log.info({ event: 'service:ready', ...report });
        if (!start) return;
        for (const [part, ms] of Object.entries(parts)) metrics.coldStart.observe({ stage: name, part }, ms / 1_000);
      },
    };
    await Promise.race([run(service), waitForRevokedAccess(bus)]);
    await bus.close();
    await endTelemetry?.();
    store.close();
    server.close();
    server.closeAllConnections();
  } catch (error) {
    log.fatal({ event: 'service:failed', error }, messageOf(error));
    process.exitCode = 1;
    stop.abort();
    kill.abort(error);
  }
  // Whatever still holds the event loop (a keep-alive socket, a timer) must not hold a process that is done.
  setTimeout(() => process.exit(), 1_000).unref();
}

/** Does nothing without an IPC channel. A parent that has exited must not end the service, so a failed send is ignored. */
function sendToParent(message: ReadyMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Waits until the bus has no place for this process any more: its client gives up after two refusals, and what waits for an answer
 * then waits for ever. Whoever starts the process again gives it the password of the day.
 * @throws PermanentError `bus-access-revoked`.
 */
async function waitForRevokedAccess({ connection }: Bus): Promise<void> {
  const cause = await connection.closed();
  if (cause)
    throw new PermanentError(
      'bus-access-revoked',
      `NATS lets this process in no more (${messageOf(cause)}): its password was changed, or its user removed; start it again with the new one`,
      { cause },
    );
}

async function serveHttp({ httpPort, httpHost }: Config, metrics: Metrics, healthy: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      void metrics.registry.metrics().then((text) => response.setHeader('content-type', metrics.registry.contentType).end(text));
    } else if (request.url === '/healthz') response.writeHead(healthy() ? 200 : 503).end(healthy() ? 'ready\n' : 'not ready\n');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(httpPort, httpHost, resolve));
  return server;
}
