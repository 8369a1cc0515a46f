import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { otelEnvironment, tracingOf, type Tracing } from './otel.ts';
import { createOptionParser, withDefaults, type OptionMap, type OptionSchemas, type OptionValues } from '../core/options.ts';

/** Seconds: no interval is longer, nor would a timer count 25 days. */
const DAY = 86_400;

/** Seconds between two sweeps where none are set: beside notifications few objects wait for one, without them all do. */
const SWEEP_INTERVAL = { notifications: 60, sweep: 2 } as const;

/** Every variable of the environment that a FAVE process reads. A stage's own settings come on top, as `FAVE_{SETTING}`. */
export const environmentSchema = {
  ARTIFACT_ENDPOINT: { type: 'string', default: 'http://127.0.0.1:9000', description: 'URL of the S3 store' },
  ARTIFACT_REGION: { type: 'string', default: 'us-east-1', description: 'region of the bucket' },
  ARTIFACT_BUCKET: { type: 'string', default: 'fave-artifacts', description: 'bucket of all artifacts' },
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
  ARTIFACT_PATH_STYLE: { type: 'boolean', default: true, description: 'false: virtual-host style addresses' },
  ARTIFACT_CA: { type: 'string', default: '', description: 'PEM file of the authority that signed the store’s certificate' },
  NATS_URL: { type: 'string', default: 'nats://127.0.0.1:4222', description: 'server or servers, separated by commas' },
  NATS_USER: { type: 'string', default: '', description: 'user name' },
  NATS_PASSWORD: { type: 'string', default: '', description: 'password' },
  NATS_CA: { type: 'string', default: '', description: 'PEM file of the authority that signed the server’s certificate' },
  FAVE_CONCURRENCY: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 64,
    description: 'items that a process works on at once',
  },
  FAVE_MEMORY_LIMIT_MB: {
    type: 'integer',
    default: 512,
    minimum: 1,
    description: 'memory limit of the process, for the cost proxy',
  },
  FAVE_HTTP_PORT: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 65535,
    description: 'port of /metrics and /healthz; 0: any',
  },
  FAVE_HTTP_HOST: { type: 'string', default: '127.0.0.1', description: 'address of /metrics and /healthz' },
  FAVE_TMPDIR: { type: 'string', default: tmpdir(), description: 'directory of the items’ temporary directories' },
  FAVE_GRACE_SECONDS: {
    type: 'number',
    default: 20,
    minimum: 0,
    maximum: DAY,
    description: 'seconds that a stopping process may finish its items in',
  },
  FAVE_ACK_WAIT_SECONDS: {
    type: 'number',
    default: 30,
    minimum: 1,
    maximum: DAY,
    description: 'seconds without a heartbeat after which an item is given to another worker',
  },
  FAVE_RETRY_FACTOR: {
    type: 'number',
    default: 1,
    minimum: 0,
    maximum: 100,
    description: 'factor of the seconds (1 to 240) before an item is tried again',
  },
  FAVE_NICE: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 19,
    description: 'how much the process and its tools give way to others',
  },
  FAVE_STREAM_REPLICAS: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 5,
    description: 'copies of each stream that set-up asks for: 3 on a cluster of NATS servers',
  },
  FAVE_RETENTION_DAYS: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description: 'days after which set-up has the store delete a request’s objects; 0 keeps them',
  },
  FAVE_EVENT_SOURCE: {
    type: 'string',
    default: 'notifications',
    enum: ['notifications', 'sweep'],
    description: 'how FAVE learns of objects; sweep: by listing, for a store that sends no notifications',
  },
  FAVE_SWEEP_INTERVAL_SECONDS: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: DAY,
    description: `seconds between two looks for objects that nobody worked on; 0: ${SWEEP_INTERVAL.notifications}, with FAVE_EVENT_SOURCE=sweep ${SWEEP_INTERVAL.sweep}`,
  },
  FAVE_CANARY_INTERVAL_SECONDS: {
    type: 'number',
    default: 60,
    minimum: 0.1,
    maximum: DAY,
    description: 'seconds between two objects by which the tracker tries the notification path',
  },
  ...otelEnvironment,
  FAVE_LOG_LEVEL: {
    type: 'string',
    default: 'info',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    description: 'least level that is logged',
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
  /** Seconds. */
  readonly grace: number;
  /** Seconds. */
  readonly ackWait: number;
  readonly retryFactor: number;
  readonly nice: number;
  /** Copies of each stream. */
  readonly replicas: number;
  /** Days after which a request's objects are deleted; 0 keeps them. */
  readonly retentionDays: number;
  readonly events: 'notifications' | 'sweep';
  /** Seconds. */
  readonly sweepInterval: number;
  /** Seconds. */
  readonly canaryInterval: number;
  /** Where and how spans are sent is the SDK's to read. */
  readonly tracing: Tracing;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A value, or what the file named by `{name}_FILE` holds: secrets of containers come as files. */
function valueOf(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  return file ? readFileSync(file, 'utf8').trim() : env[name] || undefined;
}

/**
 * Reads and checks the variables that `schemas` names.
 * @throws PermanentError `invalid-environment-variable` that names the variable and its rule, never its value.
 */
export function readEnvironment(schemas: OptionSchemas, env: Environment): OptionMap {
  const given = Object.fromEntries(
    Object.keys(schemas).flatMap((name) => {
      const value = valueOf(env, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return withDefaults(schemas, createOptionParser(schemas, 'environment variable')(given));
}

/** The configuration of a process, read once at its edge. @throws PermanentError as {@link readEnvironment}. */
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
    grace: read.FAVE_GRACE_SECONDS,
    ackWait: read.FAVE_ACK_WAIT_SECONDS,
    retryFactor: read.FAVE_RETRY_FACTOR,
    nice: read.FAVE_NICE,
    replicas: read.FAVE_STREAM_REPLICAS,
    retentionDays: read.FAVE_RETENTION_DAYS,
    events: read.FAVE_EVENT_SOURCE,
    sweepInterval: read.FAVE_SWEEP_INTERVAL_SECONDS || SWEEP_INTERVAL[read.FAVE_EVENT_SOURCE],
    canaryInterval: read.FAVE_CANARY_INTERVAL_SECONDS,
    tracing: tracingOf(read),
    logLevel: read.FAVE_LOG_LEVEL,
  };
}

/** The variable that holds a stage's setting. */
export function settingVariable(name: string): string {
  return `FAVE_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** A stage's settings by their own names. @throws PermanentError as {@link readEnvironment}. */
export function readSettings(schemas: OptionSchemas, env: Environment): OptionMap {
  const values = readEnvironment(
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [settingVariable(name), schema])),
    env,
  );
  return Object.fromEntries(Object.keys(schemas).map((name) => [name, values[settingVariable(name)] as string]));
}
