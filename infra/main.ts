/** `node dist/infra.mjs start …`: what `npm start` and containers hand over to. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../shared/config/config.ts';
import { FaveError, PermanentError } from '../shared/core/errors.ts';
import { kinds } from '../schemas/kinds.ts';
import { kindFolder, requestPrefix } from '../shared/pipeline/keys.ts';
import { graph } from '../services/pipeline.ts';
import { makeSecrets } from './compose/secrets.ts';
import { rotateSecrets, startInstance } from './instance/instance.ts';
import { launch } from './local/launcher.ts';
import { serveNatsMetrics } from './observe/nats-exporter.ts';
import { chooseDataDir, defaultDataDir } from './process/paths.ts';
import { ERASE_LINE } from './process/progress.ts';
import { defaultPorts, portsFrom, type Ports } from './deployment/ports.ts';
import { readInstance, type InstanceRecord } from './instance/record.ts';
import { regimeNames, type RegimeName } from './deployment/regimes.ts';
import { serviceNames } from './deployment/services.ts';
import { runSetUp } from './setup/job.ts';

// The erased line is the progress bar of a download.
const report = (line: string): void => void process.stderr.write(`${process.stderr.isTTY ? ERASE_LINE : ''}${line}\n`);

interface StartOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly detach: boolean;
  /** Arguments of a launcher in the background. */
  readonly rest: string[];
  /** Whether new passwords are generated. */
  readonly rotate: boolean;
  readonly regime?: RegimeName;
}

/** @throws PermanentError `invalid-arguments`. */
function options(args: string[]): StartOptions {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      'port-base': { type: 'string' },
      detach: { type: 'boolean' },
      'rotate-secrets': { type: 'boolean' },
      regime: { type: 'string' },
    },
  });
  const base = values['port-base'] === undefined ? undefined : Number(values['port-base']);
  if (base !== undefined && (!Number.isInteger(base) || base < 1024 || base > 65_532))
    throw new PermanentError('invalid-arguments', '--port-base must be a whole number from 1024 to 65532');
  const regime = regimeNames.find((name) => name === values.regime);
  if (values.regime !== undefined && !regime)
    throw new PermanentError('invalid-arguments', `unknown regime ${values.regime}; use one of ${regimeNames.join(', ')}`);
  return {
    dataDir: chooseDataDir(values.data, process.env),
    ports: base === undefined ? defaultPorts : portsFrom(base),
    detach: values.detach ?? false,
    rotate: values['rotate-secrets'] ?? false,
    rest: [...(base === undefined ? [] : ['--port-base', String(base)]), ...(regime === undefined ? [] : ['--regime', regime])],
    ...(regime && { regime }),
  };
}

async function start(args: string[]): Promise<void> {
  const { dataDir, ports, detach, rotate, rest, ...settings } = options(args);
  if (rotate) await rotateSecrets(dataDir);
  const running = await readInstance(dataDir);
  if (running?.state === 'ready') {
    if (settings.regime && settings.regime !== running.regime)
      throw new PermanentError(
        'regime-mismatch',
        `FAVE is already running, but not in the regime ${settings.regime}: stop it with ./fave down`,
      );
    report('FAVE is already running.');
    report(welcome(running));
    return;
  }
  if (detach) {
    report(welcome(await startInstance(dataDir, rest, report)));
    return;
  }

  const stop = new AbortController();
  const stopped = new Promise<void>((resolveStopped) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!stop.signal.aborted) report('stopping …');
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
    progress: report,
    signal: stop.signal,
    ...settings,
  });
  report(welcome(instance.record));
  await stopped;
  await instance.stop();
  report('stopped; the data is kept');
}

/** Returns the next steps as commands to copy. */
function welcome({ dataDir, bucket, ports, own }: InstanceRecord): string {
  const data = dataDir === defaultDataDir ? '' : ` --data ${dataDir}`;
  return [
    '',
    'FAVE is ready. In another terminal, in this directory:',
    '',
    `  eval "$(./fave env${data})"                  # puts fave, mc and nats on PATH, with access`,
    `  nats sub 'fave.requests.*.completed'                # waits for results`,
    `  mc cp video.mp4 fave/${bucket}/${requestPrefix('my-video')}${kindFolder(kinds.input)}`,
    '',
    ...(own.store ? [`  console  http://127.0.0.1:${ports.console}  (user and password: ${dataDir}/secrets.json, "store")`] : []),
    `  logs     ${dataDir}/logs/`,
    '',
  ].join('\n');
}

/** `setup --secrets DIR`: sets up running servers. DIR holds the passwords of the roles. */
async function setup(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { secrets: { type: 'string', default: 'secrets' } } });
  await runSetUp({ graph, env: process.env, secretsDir: resolve(values.secrets), progress: report });
  report('set up');
}

/** `secrets --secrets DIR`: generates passwords; `--rotate` replaces all of them. */
async function secrets(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { secrets: { type: 'string', default: 'secrets' }, rotate: { type: 'boolean', default: false } },
  });
  const dir = resolve(values.secrets);
  report(await makeSecrets({ graph, dir, env: process.env, rotate: values.rotate }));
}

/** `nats-metrics --from URL`: serves the metrics of the NATS monitoring port at URL for Prometheus. */
async function natsMetrics(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { from: { type: 'string', default: `http://127.0.0.1:${defaultPorts.monitor}` } },
  });
  const { httpHost: host, httpPort } = readConfig(process.env);
  const { port } = await serveNatsMetrics({ from: values.from, host, port: httpPort });
  report(`serving the metrics of ${values.from} on port ${port}`);
}

const commands: Record<string, (args: string[]) => Promise<void>> = {
  start,
  setup,
  secrets,
  'nats-metrics': natsMetrics,
};

const [command = 'start', ...args] = process.argv.slice(2);
try {
  const run = commands[command];
  if (!run)
    throw new PermanentError('invalid-arguments', `unknown command ${command}; use one of ${Object.keys(commands).join(', ')}`);
  await run(args);
} catch (error) {
  const isExpected = error instanceof FaveError || (error instanceof TypeError && 'code' in error);
  report(isExpected ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
