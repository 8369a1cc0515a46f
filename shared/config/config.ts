import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { limitEnvironment, toRequestLimits, type RequestLimits } from './limits.ts';
import { otelEnvironment, parseTracing, type Tracing } from './otel.ts';
import { createOptionParser, withDefaults, type OptionMap, type OptionSchemas, type OptionValues } from '../core/options.ts';

/** Upper limit of intervals, in seconds. A timer of Node.js overflows after 25 days. */
const DAY_SECONDS = 86_400;

/** Default interval between sweeps (s). Without notifications every object waits for a sweep, so it is short. */
const SWEEP_INTERVAL_SECONDS = { notifications: 60, sweep: 2 } as const;

/** Environment variables of every FAVE process. A stage adds its settings as `FAVE_{SETTING}`. */
export const environmentSchema = {
  ARTIFACT_ENDPOINT: { type: 'string', default: 'http://127.0.0.1:9000', description: 'URL of the S3 store' },
  ARTIFACT_REGION: { type: 'string', default: 'us-east-1', description: 'region of the bucket' },
  ARTIFACT_BUCKET: { type: 'string', default: 'fave-artifacts', description: 'bucket of inputs and artifacts' },
  ARTIFACT_ACCESS_KEY: {
    type: 'string',
    default: '',
    description: 'access key',
  },
  ARTIFACT_SECRET_KEY: {
    type: 'string',
    default: '',
    description: 'secret key',
  },
  ARTIFACT_PATH_STYLE: { type: 'boolean', default: true, description: 'path-style addresses; false: virtual-host style' },
  ARTIFACT_CA: { type: 'string', default: '', description: 'PEM file of the CA that signed the certificate of the store' },
  NATS_URL: { type: 'string', default: 'nats://127.0.0.1:4222', description: 'server URL, or several separated by commas' },
  NATS_USER: { type: 'string', default: '', description: 'user name' },
  NATS_PASSWORD: { type: 'string', default: '', description: 'password' },
  NATS_CA: { type: 'string', default: '', description: 'PEM file of the CA that signed the certificate of the server' },
  FAVE_CONCURRENCY: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 64,
    description: 'number of items that a process works on concurrently',
  },
  FAVE_MEMORY_LIMIT_MB: {
    type: 'integer',
    default: 512,
    minimum: 1,
    description: 'memory limit of the process in MB, from which cost units are computed',
  },
  FAVE_HTTP_PORT: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 65535,
    description: 'port of /metrics and /healthz; 0: any free port',
  },
  FAVE_HTTP_HOST: { type: 'string', default: '127.0.0.1', description: 'listen address of /metrics and /healthz' },
  FAVE_TMPDIR: { type: 'string', default: tmpdir(), description: 'parent directory of the working directories of items' },
  FAVE_GRACE_SECONDS: {
    type: 'number',
    default: 20,
    minimum: 0,
    maximum: DAY_SECONDS,
    description: 'grace period after SIGTERM for finishing items, in seconds',
  },
  FAVE_ACK_WAIT_SECONDS: {
    type: 'number',
    default: 30,
    minimum: 1,
    maximum: DAY_SECONDS,
    description: 'time without a heartbeat after which an item is redelivered, in seconds',
  },
  FAVE_RETRY_FACTOR: {
    type: 'number',
    default: 1,
    minimum: 0,
    maximum: 100,
    description: 'factor of the delay before a retry, which is 1 to 240 seconds',
  },
  FAVE_NICE: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 19,
    description: 'niceness of the process and its tools (nice(1))',
  },
  FAVE_STREAM_REPLICAS: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 5,
    description: 'number of replicas of each stream that set-up creates; 3 on a cluster of NATS servers',
  },
  FAVE_RETENTION_DAYS: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description: 'age in days at which the store deletes the objects of a request; 0: never',
  },
  FAVE_EVENT_SOURCE: {
    type: 'string',
    default: 'notifications',
    enum: ['notifications', 'sweep'],
    description: 'source of object events; sweep: listings, for a store that does not send notifications',
  },
  FAVE_SWEEP_INTERVAL_SECONDS: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: DAY_SECONDS,
    description: `interval between sweeps for unprocessed objects, in seconds; 0: ${SWEEP_INTERVAL_SECONDS.notifications}, or ${SWEEP_INTERVAL_SECONDS.sweep} with FAVE_EVENT_SOURCE=sweep`,
  },
  FAVE_CANARY_INTERVAL_SECONDS: {
    type: 'number',
    default: 60,
    minimum: 0.1,
    maximum: DAY_SECONDS,
    description: 'interval between canary objects, which test the notification path, in seconds',
  },
  ...limitEnvironment,
  ...otelEnvironment,
  FAVE_LOG_LEVEL: {
    type: 'string',
    default: 'info',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    description: 'minimum level of log lines',
  },
} as const satisfies OptionSchemas;

export interface StoreConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly pathStyle: boolean;
  readonly ca: string | undefined;
}

export interface BusConfig {
  readonly servers: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly ca: string | undefined;
}

export interface Config {
  readonly store: StoreConfig;
  readonly bus: BusConfig;
  readonly concurrency: number;
  readonly memoryLimitMb: number;
  readonly httpPort: number;
  readonly httpHost: string;
  readonly tmpdir: string;
  readonly graceSeconds: number;
  readonly ackWaitSeconds: number;
  readonly retryFactor: number;
  readonly nice: number;
  readonly streamReplicas: number;
  /** 0: objects are kept. */
  readonly retentionDays: number;
  readonly eventSource: 'notifications' | 'sweep';
  readonly sweepIntervalSeconds: number;
  readonly canaryIntervalSeconds: number;
  readonly limits: RequestLimits;
  /** The OpenTelemetry SDK reads all other settings of tracing. */
  readonly tracing: Tracing;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the value of a variable, or the content of the file that `{name}_FILE` names: containers receive secrets as files. */
function readVariable(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  return file ? readFileSync(file, 'utf8').trim() : env[name] || undefined;
}

/**
 * Reads and checks the variables in `schemas`.
 * @throws PermanentError `invalid-environment-variable`; the message states the variable and its rule, but not its value.
 */
export function readEnvironment(schemas: OptionSchemas, env: Environment): OptionMap {
  const input = Object.fromEntries(
    Object.keys(schemas).flatMap((name) => {
      const value = readVariable(env, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return withDefaults(schemas, createOptionParser(schemas, 'environment variable')(input));
}

/** Reads the configuration of a process. @throws PermanentError as {@link readEnvironment}. */
export function readConfig(env: Environment): Config {
  const read = readEnvironment(environmentSchema, env) as OptionValues<typeof environmentSchema>;
  return {
    store: {
      endpoint: read.ARTIFACT_ENDPOINT,
      region: read.ARTIFACT_REGION,
      bucket: read.ARTIFACT_BUCKET,
      accessKey: read.ARTIFACT_ACCESS_KEY,
      secretKey: read.ARTIFACT_SECRET_KEY,
      pathStyle: read.ARTIFACT_PATH_STYLE,
      ca: read.ARTIFACT_CA || undefined,
    },
    bus: { servers: read.NATS_URL.split(','), user: read.NATS_USER, password: read.NATS_PASSWORD, ca: read.NATS_CA || undefined },
    concurrency: read.FAVE_CONCURRENCY,
    memoryLimitMb: read.FAVE_MEMORY_LIMIT_MB,
    httpPort: read.FAVE_HTTP_PORT,
    httpHost: read.FAVE_HTTP_HOST,
    tmpdir: read.FAVE_TMPDIR,
    graceSeconds: read.FAVE_GRACE_SECONDS,
    ackWaitSeconds: read.FAVE_ACK_WAIT_SECONDS,
    retryFactor: read.FAVE_RETRY_FACTOR,
    nice: read.FAVE_NICE,
    streamReplicas: read.FAVE_STREAM_REPLICAS,
    retentionDays: read.FAVE_RETENTION_DAYS,
    eventSource: read.FAVE_EVENT_SOURCE,
    sweepIntervalSeconds: read.FAVE_SWEEP_INTERVAL_SECONDS || SWEEP_INTERVAL_SECONDS[read.FAVE_EVENT_SOURCE],
    canaryIntervalSeconds: read.FAVE_CANARY_INTERVAL_SECONDS,
    limits: toRequestLimits(read),
    tracing: parseTracing(read),
    logLevel: read.FAVE_LOG_LEVEL,
  };
}

/** Returns the environment variable of a stage's setting. */
export function settingVariable(name: string): string {
  return `FAVE_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** Reads the settings of a stage, by name of the setting. @throws PermanentError as {@link readEnvironment}. */
export function readSettings(schemas: OptionSchemas, env: Environment): OptionMap {
  const values = readEnvironment(
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [settingVariable(name), schema])),
    env,
  );
  return Object.fromEntries(Object.keys(schemas).map((name) => [name, values[settingVariable(name)] as string]));
}
