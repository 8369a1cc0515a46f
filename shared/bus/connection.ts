import { readFileSync } from 'node:fs';
import {
  jetstream,
  jetstreamManager,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamPublishOptions,
  type PubAck,
} from '@nats-io/jetstream';
import { connect, headers, type MsgHdrs, type NatsConnection } from 'nats';
import pRetry from 'p-retry';
import type { BusConfig } from '../config/config.ts';
import { messageOf, UnavailableError } from '../core/errors.ts';

/**
 * How long a pull of `consume` lasts, milliseconds. One that is lost with a server's restart is missed after as long (two
 * heartbeats, each of half of it); the library's 30 s would be a standstill of half a minute after each restart.
 */
export const PULL = { expires: 5_000 } as const;

/** A connection to NATS that outlives the server's restarts. */
export interface Bus {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /**
   * Publishes and waits until JetStream has stored the message; waits for a server that is away until `signal` aborts.
   * @throws UnavailableError after {@link PATIENCE} without a signal; JetStreamApiError when JetStream refuses the message.
   */
  publish(subject: string, value: object, options: PublishOptions): Promise<PubAck>;
  /** Ends the connection after what was published is sent. */
  close(): Promise<void>;
}

export interface PublishOptions extends Partial<Pick<JetStreamPublishOptions, 'expect'>> {
  readonly msgID?: string | undefined;
  /** W3C trace context, sent as the message's header. */
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Milliseconds that a publish without a signal waits for a server that does not answer. */
const PATIENCE = 30_000;

/** @throws UnavailableError when no server answers within `wait` milliseconds. */
export async function connectBus(config: BusConfig, name: string, wait = 20_000): Promise<Bus> {
  const connection = await connectWithin(config, name, wait);
  const client = jetstream(connection);
  const manager = await jetstreamManager(connection, { checkAPI: false });

  return {
    connection,
    jetstream: client,
    manager,
    publish: (subject, value, { signal, traceparent, ...rest }) => {
      const data = JSON.stringify(value);
      const options = { ...rest, ...(traceparent !== undefined && { headers: traced(traceparent) }) };
      return pRetry(
        () =>
          client.publish(subject, data, { timeout: 5_000, ...options }).catch((error: unknown) => {
            throw error instanceof JetStreamApiError && !isTransient(error) ? error : unavailable(error);
          }),
        {
          retries: Infinity,
          minTimeout: 100,
          maxTimeout: 3_000,
          randomize: true,
          shouldRetry: ({ error }) => error instanceof UnavailableError && !connection.isClosed(),
          ...(signal ? { signal } : { maxRetryTime: PATIENCE }),
        },
      );
    },
    close: async () => {
      await connection.drain().catch(() => connection.close());
    },
  };
}

async function connectWithin(config: BusConfig, name: string, wait: number): Promise<NatsConnection> {
  try {
    return await pRetry(
      () =>
        connect({
          servers: [...config.servers],
          name,
          ...(config.user !== '' && { user: config.user, pass: config.password }),
          ...(config.ca !== undefined && { tls: { ca: readFileSync(config.ca, 'utf8') } }),
          maxReconnectAttempts: -1,
          reconnectTimeWait: 250,
          reconnectJitter: 250,
          pingInterval: 5_000,
          maxPingOut: 3,
        }),
      { retries: Infinity, maxRetryTime: wait, minTimeout: 100, maxTimeout: 1_000 },
    );
  } catch (error) {
    throw unavailable(error);
  }
}

function traced(traceparent: string): MsgHdrs {
  const traced = headers();
  traced.set('traceparent', traceparent);
  return traced;
}

/** What JetStream was asked for; undefined where there is no such stream or consumer. */
export async function undefinedIfNotFound<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.apiError().code === 404) return undefined;
    throw error;
  }
}

/** A full stream or a leader election is not the message's fault. */
function isTransient(error: JetStreamApiError): boolean {
  const { code, err_code } = error.apiError();
  return code === 503 || err_code === 10077 /* stream full */ || err_code === 10047; /* no space */
}

function unavailable(error: unknown): UnavailableError {
  return new UnavailableError('bus-unavailable', `NATS does not answer (${messageOf(error)})`, { cause: error });
}
