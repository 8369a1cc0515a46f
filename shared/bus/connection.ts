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
import { connect, createInbox, headers, type MsgHdrs, type NatsConnection } from 'nats';
import pRetry from 'p-retry';
import type { BusConfig } from '../config/config.ts';
import { UnavailableError } from '../core/errors.ts';
import { toBusError, unavailable } from './errors.ts';

/**
 * Expiry of a pull of `consume`, in milliseconds. The client detects a pull that a server restart has lost after this time (two
 * heartbeats of half of it). With the library's default, each restart would stop consumers for 30 s.
 */
export const PULL = { expires: 5_000 } as const;

/** A connection to NATS that survives server restarts. */
export interface Bus {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Returns a new subject for replies, on which only this user may listen. */
  createInbox(): string;
  /**
   * Publishes and waits until JetStream has stored the message. While no server answers, it retries until `signal` aborts.
   * @throws The errors of {@link toBusError}. Without a signal, also UnavailableError after {@link PUBLISH_TIMEOUT_MS}.
   */
  publish(subject: string, value: object, options: PublishOptions): Promise<PubAck>;
  /** Closes the connection after pending messages are sent. */
  close(): Promise<void>;
}

export interface PublishOptions extends Partial<Pick<JetStreamPublishOptions, 'expect'>> {
  readonly msgID?: string | undefined;
  /** W3C trace context, sent as a message header. */
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Time limit of a publish without a signal while no server answers (ms). */
const PUBLISH_TIMEOUT_MS = 30_000;

/** Connects to NATS. @throws UnavailableError if no server answers within `timeoutMs`. */
export async function connectBus(config: BusConfig, name: string, timeoutMs = 20_000): Promise<Bus> {
  const connection = await connectWithin(config, name, timeoutMs);
  const client = jetstream(connection);
  const manager = await jetstreamManager(connection, { checkAPI: false });

  return {
    connection,
    jetstream: client,
    manager,
    createInbox: () => createInbox(inboxPrefix(config.user)),
    publish: (subject, value, { signal, traceparent, ...rest }) => {
      const data = JSON.stringify(value);
      const options = { ...rest, ...(traceparent !== undefined && { headers: traceHeaders(traceparent) }) };
      return pRetry(
        () =>
          client.publish(subject, data, { timeout: 5_000, ...options }).catch((error: unknown) => {
            throw toBusError(error, subject);
          }),
        {
          retries: Infinity,
          minTimeout: 100,
          maxTimeout: 3_000,
          randomize: true,
          shouldRetry: ({ error }) => error instanceof UnavailableError && !connection.isClosed(),
          ...(signal ? { signal } : { maxRetryTime: PUBLISH_TIMEOUT_MS }),
        },
      );
    },
    close: async () => {
      await connection.drain().catch(() => connection.close());
    },
  };
}

/** Returns the prefix of the subjects on which a user receives replies. A user has no permission for those of others. */
export function inboxPrefix(user: string): string {
  return user === '' ? '_INBOX' : `_INBOX_${user}`;
}

async function connectWithin(config: BusConfig, name: string, timeoutMs: number): Promise<NatsConnection> {
  try {
    return await pRetry(
      () =>
        connect({
          servers: [...config.servers],
          name,
          inboxPrefix: inboxPrefix(config.user),
          ...(config.user !== '' && { user: config.user, pass: config.password }),
          ...(config.ca !== undefined && { tls: { ca: readFileSync(config.ca, 'utf8') } }),
          maxReconnectAttempts: -1,
          reconnectTimeWait: 250,
          reconnectJitter: 250,
          pingInterval: 5_000,
          maxPingOut: 3,
        }),
      { retries: Infinity, maxRetryTime: timeoutMs, minTimeout: 100, maxTimeout: 1_000 },
    );
  } catch (error) {
    throw unavailable(error);
  }
}

function traceHeaders(traceparent: string): MsgHdrs {
  const result = headers();
  result.set('traceparent', traceparent);
  return result;
}

/** Returns the response of JetStream, or `undefined` if the stream or consumer does not exist. */
export async function undefinedIfNotFound<T>(response: Promise<T>): Promise<T | undefined> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.apiError().code === 404) return undefined;
    throw error;
  }
}
