import { setMaxListeners } from 'node:events';
import { setPriority } from 'node:os';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics } from 'prom-client';
import { connectBus, type Bus } from '../../bus/connection.ts';
import { readConfig, type Config } from '../../config/config.ts';
import { messageOf, PermanentError } from '../../core/errors.ts';
import { createLogger, type Logger } from '../../observability/log.ts';
import { createStore, type Store } from '../../store/store.ts';
import { createExec, type Exec } from '../../tools/exec.ts';
import { createMetrics, type Metrics } from './metrics.ts';

export interface Service {
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly bus: Bus;
  readonly store: Store;
  readonly metrics: Metrics;
  /** Runs programs with the limits of the service's environment. */
  readonly exec: Exec;
  /** Aborts when the process receives SIGTERM or SIGINT: take no further work. */
  readonly drainSignal: AbortSignal;
  /** Aborts when the grace period is over: release the remaining work. */
  readonly killSignal: AbortSignal;
  /** Reports that the service takes work. @param start Duration of the start of a stage, in milliseconds. */
  ready(start?: { readonly model_ms: number }): void;
  /** Reports the start of the first item. @param queueMs Time that the item waited, in milliseconds. */
  firstItem(queueMs: number): void;
}

/** Message of a service to its parent process over IPC. Durations are in milliseconds, times in milliseconds since the epoch. */
export type ServiceMessage = { readonly service: string } & (ReadyMessage | FirstItemMessage);

/** Sent when the service takes work. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly time: number;
  /** Port of /metrics and /healthz. */
  readonly http: number;
  /** Start of the process. */
  readonly started: number;
  /** Parts of the cold start; `model_ms` only for a stage. */
  readonly imports_ms: number;
  readonly connections_ms: number;
  readonly model_ms?: number;
  /** Time from the start of the process until the service is ready. */
  readonly ready_ms: number;
}

/** Sent when a stage starts its first item. */
export interface FirstItemMessage {
  readonly type: 'first-item';
  readonly time: number;
  /** Time that the item waited in its queue. */
  readonly queue_ms: number;
}

/** A service to run in this process. */
export interface ServiceEntry {
  readonly name: string;
  /** Configuration and credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  run(service: Service): Promise<void>;
}

/** Aborts that all services of a process share. */
interface Lifetime {
  readonly stop: AbortController;
  readonly kill: AbortController;
}

/** Time that the other services of a process have to stop after one has failed, in milliseconds. */
const FAILURE_TIMEOUT_MS = 10_000;

/** Runs a service in this process, configured by the process environment. */
export function runService(name: string, run: ServiceEntry['run']): Promise<void> {
  return runServices([{ name, env: process.env, run }]);
}

/**
 * Runs services in this process until they end. Each has its own configuration, connections, metrics and HTTP port.
 * SIGTERM and SIGINT stop all of them in order. If one fails, all stop and the process exits with code 1.
 */
export async function runServices(entries: readonly ServiceEntry[]): Promise<void> {
  const importsMs = performance.now();
  const lifetime: Lifetime = { stop: new AbortController(), kill: new AbortController() };
  setMaxListeners(0, lifetime.stop.signal, lifetime.kill.signal, process);
  await Promise.all(
    entries.map((entry, index) => {
      // Process metrics exist once per process.
      const processName = index > 0 ? undefined : entries.length === 1 ? entry.name : 'services';
      return runEntry(entry, lifetime, { importsMs, processName });
    }),
  );
  // Open handles, such as keep-alive sockets, must not keep a finished process alive.
  setTimeout(() => process.exit(), 1_000).unref();
}

async function runEntry(
  { name, env, run }: ServiceEntry,
  { stop, kill }: Lifetime,
  { importsMs, processName }: { importsMs: number; processName: string | undefined },
): Promise<void> {
  let log = createLogger({ service: name });
  try {
    const config = readConfig(env);
    log = createLogger({ service: name }, config.logLevel);
    if (config.nice > 0) setPriority(config.nice);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      let isStopping = false;
      process.on(signal, () => {
        log.info({ event: 'service:stop', signal });
        const end = (): void => {
          kill.abort(new Error('the process is stopping'));
        };
        // A second signal ends the grace period: the items are released immediately.
        if (isStopping) end();
        isStopping = true;
        stop.abort(new Error('the process is stopping'));
        setTimeout(end, config.graceSeconds * 1_000).unref();
      });
    }
    const metrics = createMetrics(name, config.tmpdir);
    if (processName !== undefined) collectDefaultMetrics({ register: metrics.registry, labels: { service: processName } });
    if (config.tracing.refused !== undefined) log.warn({ event: 'telemetry:failed' }, config.tracing.refused);
    const endTelemetry = config.tracing.on
      ? (await import('../../observability/telemetry.ts')).startTelemetry(name, log)
      : undefined;
    const store = createStore(config.store, metrics.store);
    let isReady = false;
    const isHealthy = (): boolean => isReady && !stop.signal.aborted && !bus.connection.isClosed();
    const [bus, server] = await Promise.all([connectBus(config.bus, name), serveHttp(config, metrics, isHealthy)]);
    const connected = performance.now();
    const service: Service = {
      name,
      config,
      log,
      bus,
      store,
      metrics,
      exec: createExec({ env, log }),
      drainSignal: stop.signal,
      killSignal: kill.signal,
      ready: (start) => {
        isReady = true;
        const parts = { imports: importsMs, connections: connected - importsMs, ...(start && { model: start.model_ms }) };
        const { port } = server.address() as AddressInfo;
        const report = {
          http: port,
          started: Math.round(performance.timeOrigin),
          imports_ms: Math.round(parts.imports),
          connections_ms: Math.round(parts.connections),
          ...(start && { model_ms: Math.round(start.model_ms) }),
          ready_ms: Math.round(performance.now()),
        };
        sendToParent({ service: name, type: 'ready', time: Date.now(), ...report });
        log.info({ event: 'service:ready', ...report });
        if (!start) return;
        for (const [part, ms] of Object.entries(parts)) metrics.coldStart.observe({ stage: name, part }, ms / 1_000);
      },
      firstItem: (queueMs) => {
        sendToParent({ service: name, type: 'first-item', time: Date.now(), queue_ms: queueMs });
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
    setTimeout(() => process.exit(), FAILURE_TIMEOUT_MS).unref();
  }
}

/** Sends a message to the parent process, if there is an IPC channel. A failed send is ignored: a parent that exited must not end the service. */
function sendToParent(message: ServiceMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Waits until NATS has revoked the access of this process. The client gives up after two refused reconnects, and pending requests
 * would then wait without a limit. A restarted process reads the current password.
 * @throws PermanentError `bus-access-revoked`
 */
async function waitForRevokedAccess({ connection }: Bus): Promise<void> {
  const cause = await connection.closed();
  if (cause)
    throw new PermanentError(
      'bus-access-revoked',
      `NATS refuses the connection of this process (${messageOf(cause)}): its password was changed or its user was removed; restart it with the current password`,
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
  // The server alone must not keep a process alive whose service has failed.
  return server.unref();
}
