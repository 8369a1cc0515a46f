import { readFileSync, statSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { signRequest } from '../../../shared/store/s3/sign.ts';
import { readInstance } from '../../../infra/instance/record.ts';
import { onTestFileEnd, type Stack } from '../../support/stack.ts';

/** An operation that the store has received. */
export interface StoreCall {
  readonly accessKey: string;
  /** Name in the S3 API, such as `GetObject`. */
  readonly operation: string;
  readonly key: string;
  readonly status: number;
}

interface TraceLine {
  readonly funcname: string;
  readonly path: string;
  readonly http?: {
    readonly request: { readonly headers?: Readonly<Record<string, string[]>> };
    readonly response: { readonly statuscode?: number };
  };
}

/** Traces the requests of the store, and returns the list to which they are added. */
export async function traceStore({ config: { store } }: Pick<Stack, 'config'>): Promise<StoreCall[]> {
  const { host, hostname, port } = new URL(store.endpoint);
  const [path, query] = ['/minio/admin/v3/trace', 's3=true'];
  const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const headers = signRequest({ method: 'GET', path, query, headers: { host }, sha256 }, store);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.get({ hostname, port, path: `${path}?${query}`, headers }, resolve).on('error', reject);
    onTestFileEnd(() => void request.destroy());
  });
  const calls: StoreCall[] = [];
  const lines = createInterface({ input: response });
  for (const emitter of [response, lines]) emitter.on('error', () => undefined); // the end of the test
  lines.on('line', (line) => {
    if (!line.startsWith('{')) return; // a space keeps the connection open
    const { funcname, path: requested, http: exchange } = JSON.parse(line) as TraceLine;
    const [, accessKey] = /Credential=([^/]+)\//.exec(exchange?.request.headers?.['Authorization']?.[0] ?? '') ?? [];
    if (accessKey === undefined) return;
    const call = { accessKey, status: exchange?.response.statuscode ?? 0 };
    const keyOf = (text: string): string => decodeURIComponent(text).replace(/^\/?[^/]+\/?/, '');
    calls.push({ ...call, operation: funcname.replace('s3.', ''), key: keyOf(requested) });
    const source = exchange?.request.headers?.['X-Amz-Copy-Source']?.[0];
    if (source !== undefined) calls.push({ ...call, operation: 'GetObject', key: keyOf(source) });
  });
  return calls;
}

/** Subjects that a user has published to and subscribed to. */
export interface BusUse {
  readonly publish: ReadonlySet<string>;
  readonly subscribe: ReadonlySet<string>;
}

/** Makes the bus log all operations from now on. Returns a function that reads those of all users. */
export async function traceBus({
  dataDir,
  servers,
}: Pick<Stack, 'dataDir' | 'servers'>): Promise<() => Promise<Map<string, BusUse>>> {
  const config = join(dataDir, 'nats.conf');
  const log = join(dataDir, 'logs', 'nats-server.log');
  const start = statSync(log).size;
  writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), trace: true }));
  process.kill(servers['nats-server'] ?? 0, 'SIGHUP');
  const { ports } = (await readInstance(dataDir))!;
  return async () => {
    const response = await fetch(`http://127.0.0.1:${ports.monitor}/connz?auth=true&state=all&limit=10000`);
    const { connections } = (await response.json()) as { connections: { cid: number; authorized_user?: string }[] };
    const users = new Map(connections.map(({ cid, authorized_user: user = '' }) => [String(cid), user]));
    const uses = new Map<string, { publish: Set<string>; subscribe: Set<string> }>();
    for (const [, cid = '', operation, subject = ''] of readFileSync(log, 'latin1')
      .slice(start)
      .matchAll(/ cid:(\d+) .*?<<- \[(H?PUB|SUB) ([^\s\]]+)/g)) {
      const user = users.get(cid) ?? '';
      const use = uses.get(user) ?? { publish: new Set(), subscribe: new Set() };
      uses.set(user, use);
      use[operation === 'SUB' ? 'subscribe' : 'publish'].add(subject);
    }
    return uses;
  };
}
