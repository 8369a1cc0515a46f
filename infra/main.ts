/** `node dist/infra.mjs start|verify …`: what `npm start` and `npm run verify` hand over to. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault, PermanentError } from '../shared/errors.ts';
import { graph } from '../services/pipeline.ts';
import { startInstance } from './instance.ts';
import { launch } from './launcher.ts';
import { defaultDataDir } from './paths.ts';
import { defaultPorts, portsFrom, type Ports } from './ports.ts';
import { readInstance, type InstanceRecord } from './record.ts';
import { serviceNames } from './services.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @throws PermanentError `bad-arguments`. */
function options(args: string[]): { dataDir: string; ports: Ports; detach: boolean; rest: string[]; retentionDays?: number } {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      'port-base': { type: 'string' },
      detach: { type: 'boolean' },
      'retention-days': { type: 'string' },
    },
  });
  const number = (name: 'port-base' | 'retention-days', least: number, most: number): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new PermanentError('bad-arguments', `--${name} must be a whole number from ${least} to ${most}`);
    return value;
  };
  const base = number('port-base', 1024, 65_532);
  const retentionDays = number('retention-days', 1, 36_500);
  return {
    dataDir: values.data === undefined ? defaultDataDir : resolve(values.data),
    ports: base === undefined ? defaultPorts : portsFrom(base),
    detach: values.detach ?? false,
    rest: [
      ...(base === undefined ? [] : ['--port-base', String(base)]),
      ...(retentionDays === undefined ? [] : ['--retention-days', String(retentionDays)]),
    ],
    ...(retentionDays !== undefined && { retentionDays }),
  };
}

async function start(args: string[]): Promise<void> {
  const { dataDir, ports, detach, rest, ...more } = options(args);
  const running = await readInstance(dataDir);
  if (running?.state === 'ready') {
    say('FAVE runs already.');
    say(welcome(running));
    return;
  }
  if (detach) {
    say(welcome(await startInstance(dataDir, rest)));
    return;
  }

  const stop = new AbortController();
  const stopped = new Promise<void>((resolveStopped) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!stop.signal.aborted) say('stopping …');
        stop.abort(new PermanentError('stopped', 'stopped while starting'));
        resolveStopped();
      });
    }
  });
  const instance = await launch({
    dataDir,
    ports,
    graph,
    services: serviceNames(graph),
    env: process.env,
    progress: say,
    signal: stop.signal,
    ...more,
  });
  say(welcome(instance.record));
  await stopped;
  await instance.stop();
  say('stopped; the data is kept');
}

/** What to do next, to copy and paste. */
function welcome({ dataDir, bucket, ports, own }: InstanceRecord): string {
  const data = dataDir === defaultDataDir ? '' : ` --data ${dataDir}`;
  return [
    '',
    'FAVE is ready. In another terminal, in this directory:',
    '',
    `  eval "$(npx fave env${data})"                  # puts mc and nats on PATH, with access`,
    `  nats sub 'fave.requests.*.completed'                # waits for results`,
    `  mc cp video.mp4 fave/${bucket}/requests/my-video/input/`,
    '',
    ...(own.store ? [`  console  http://127.0.0.1:${ports.console}  (user and password: ${dataDir}/secrets.json, "store")`] : []),
    `  logs     ${dataDir}/logs/`,
    '',
  ].join('\n');
}

const commands: Record<string, (args: string[]) => Promise<void>> = {
  start,
  verify: async () => (await import('./verify.ts')).verify(),
};

const [command = 'start', ...args] = process.argv.slice(2);
try {
  const run = commands[command];
  if (!run) throw new PermanentError('bad-arguments', `there is no ${command}; there are ${Object.keys(commands).join(', ')}`);
  await run(args);
} catch (error) {
  const known = error instanceof Fault || (error instanceof TypeError && 'code' in error);
  say(known ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
