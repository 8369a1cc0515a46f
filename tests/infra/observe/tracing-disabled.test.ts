import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import { useSharedStack, type Stack } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const PRELOADED = join(import.meta.dirname, 'modules.mjs');

let servers: Stack;
const dir = createTempDir();
beforeAll(async () => {
  servers = await useSharedStack();
  await bundle({ service: 'services/main.ts' }, dir);
});

/** Runs a service until it is ready. @returns Its log lines and the modules that it has loaded. */
async function run(env: Record<string, string>): Promise<{ lines: Record<string, unknown>[]; loaded: string[] }> {
  const list = join(dir, 'loaded.txt');
  await rm(list, { force: true });
  const child = spawn(process.execPath, ['--import', PRELOADED, join(dir, 'service.mjs'), 'stage-grep'], {
    env: { PATH: process.env['PATH'], LOADED_MODULES: list, FAVE_TMPDIR: dir, ...servers.environment, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: Record<string, unknown>[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line['event'] === 'service:ready') child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
  const paths = (await readFile(list, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
  return { lines, loaded: await Promise.all(paths.map((url) => readFile(fileURLToPath(url), 'utf8'))) };
}

const hasSdk = (loaded: string[]): boolean => loaded.some((text) => text.includes('node_modules/@opentelemetry/sdk-trace'));
const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

it('loads the SDK when tracing is on', async () => {
  expect(hasSdk((await run(COLLECTOR)).loaded)).toBe(true);
});

it.each([
  ['no variable is set', {}],
  ['the variables are empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_SAMPLER: '' }],
  ['the SDK is disabled', { ...COLLECTOR, OTEL_SDK_DISABLED: 'true' }],
])('does not load the SDK when %s', async (_, env) => {
  const { lines, loaded } = await run(env);
  expect(loaded.some((text) => text.includes('node_modules/@opentelemetry/api'))).toBe(true);
  expect(hasSdk(loaded)).toBe(false);
  expect(lines.map(({ event }) => event)).not.toContain('telemetry:failed');
});

it('logs that gRPC is not supported and runs without tracing', async () => {
  const { lines, loaded } = await run({ ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  expect(hasSdk(loaded)).toBe(false);
  expect(lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['telemetry:failed', 'service:ready']));
});
