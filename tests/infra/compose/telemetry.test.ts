import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../../infra/process/paths.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { otelEnvironment } from '../../../shared/config/otel.ts';

const { services } = parse(await readFile(join(root, 'compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, { readonly environment?: Record<string, string> }>;
};

/** Returns the environment of a container after Compose has replaced variables. */
function environmentOf(service: string, env: Record<string, string>): Record<string, string> {
  const filled = Object.entries(services[service]?.environment ?? {}).map(([name, value]) => [
    name,
    value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, variable: string, otherwise: string) => env[variable] || otherwise),
  ]);
  // Secrets are files that are not here.
  return Object.fromEntries(filled.filter(([name = '']) => !name.endsWith('_FILE'))) as Record<string, string>;
}

it.each(serviceNames(graph))('passes the OpenTelemetry variables and the log level to %s', (service) => {
  for (const variable of [...Object.keys(otelEnvironment), 'FAVE_LOG_LEVEL'])
    expect(environmentOf(service, { [variable]: 'x' })[variable]).toBe('x');
});

it.each(serviceNames(graph))('enables tracing of %s only if the environment names a collector', (service) => {
  expect(readConfig(environmentOf(service, {}))).toMatchObject({ tracing: { on: false }, logLevel: 'info' });
  const environment = environmentOf(service, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', FAVE_LOG_LEVEL: 'debug' });
  expect(readConfig(environment)).toMatchObject({ tracing: { on: true }, logLevel: 'debug' });
});
