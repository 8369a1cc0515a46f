import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentSchema, readConfig, readSettings } from '../../../shared/config/config.ts';
import { requestOptions } from '../../../shared/pipeline/graph.ts';
import type { OptionSchemas } from '../../../shared/core/options.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const SECRET = 'hunter2-hunter2';

function secretFile(text: string): string {
  const dir = createTempDir();
  writeFileSync(join(dir, 'secret'), text);
  return join(dir, 'secret');
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

it('returns defaults for an empty environment and for empty variables', () => {
  expect(readConfig({})).toEqual(readConfig(Object.fromEntries(Object.keys(environmentSchema).map((name) => [name, '']))));
  expect(readConfig({})).toMatchObject({
    concurrency: 1,
    bus: { servers: ['nats://127.0.0.1:4222'], ca: undefined },
    store: { pathStyle: true },
  });
});

it('converts variables to typed values', () => {
  const config = readConfig({
    NATS_URL: 'nats://a,nats://b',
    ARTIFACT_PATH_STYLE: 'false',
    FAVE_GRACE_SECONDS: '1.5',
    FAVE_CONCURRENCY: '3',
    UNKNOWN: 'x',
  });
  expect(config).toMatchObject({
    bus: { servers: ['nats://a', 'nats://b'] },
    store: { pathStyle: false },
    graceSeconds: 1.5,
    concurrency: 3,
  });
});

it('sweeps less often with notifications, unless an interval is set', () => {
  const intervals = (variables: Record<string, string>): number[] =>
    ['notifications', 'sweep'].map((FAVE_EVENT_SOURCE) => readConfig({ FAVE_EVENT_SOURCE, ...variables }).sweepIntervalSeconds);
  expect(intervals({})).toEqual([60, 2]);
  expect(intervals({ FAVE_SWEEP_INTERVAL_SECONDS: '300' })).toEqual([300, 300]);
});

it('prefers the secret in a file to the one in a variable', () => {
  const env = { NATS_PASSWORD_FILE: secretFile(`${SECRET}\n`), NATS_PASSWORD: 'other' };
  expect(readConfig(env).bus.password).toBe(SECRET);
});

describe('an invalid variable', () => {
  it.each([
    ['FAVE_CONCURRENCY', 'must be integer'],
    ['FAVE_HTTP_PORT', 'must be integer'],
    ['ARTIFACT_PATH_STYLE', 'must be boolean'],
    ['FAVE_LOG_LEVEL', 'must be one of trace, debug, info, warn, error, silent'],
    ['FAVE_GRACE_SECONDS', 'must be number'],
  ])('rejects %s with its rule, without its value', (name, rule) => {
    const error = thrown(() => readConfig({ [name]: SECRET }));
    expect(error).toMatchObject({ code: 'invalid-environment-variable', message: `environment variable ${name} ${rule}` });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(SECRET);
  });

  it('rejects a value out of range with the bound', () => {
    expect(() => readConfig({ FAVE_HTTP_PORT: '70000' })).toThrow('FAVE_HTTP_PORT must be <= 65535');
  });
});

it('limits seconds to the range of a timer, which fires immediately above it', () => {
  const schemas = Object.entries({ ...environmentSchema, ...requestOptions } as OptionSchemas);
  const seconds = schemas.filter(([, { description }]) => /\bseconds\b/.test(description));
  expect(seconds.map(([name]) => name)).toEqual(expect.arrayContaining(['FAVE_GRACE_SECONDS', 'item-timeout', 'timeout']));
  for (const [name, schema] of seconds) expect((schema as { maximum?: number }).maximum, name).toBeLessThan(2 ** 31 / 1_000);
});

it('reads the settings of a stage from FAVE_ variables', () => {
  const schemas = {
    'whisper-model': { type: 'string', default: '', description: 'path' },
    threads: { type: 'integer', default: 2, minimum: 1, description: 'n' },
  } as const;
  expect(readSettings(schemas, { FAVE_WHISPER_MODEL: '/m.bin', 'whisper-model': 'no' })).toEqual({
    'whisper-model': '/m.bin',
    threads: 2,
  });
  expect(() => readSettings(schemas, { FAVE_THREADS: '0' })).toThrow('environment variable FAVE_THREADS must be >= 1');
});
