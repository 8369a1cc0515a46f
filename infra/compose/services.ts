import type { Graph } from '../../shared/pipeline/graph.ts';
import { otelEnvironment } from '../../shared/config/otel.ts';
import { accessKeyOf } from '../access/policies.ts';
import { regimeNames, regimeSettings } from '../deployment/regimes.ts';
import { serviceNames, SMALL_MEMORY_MB, servicesWithoutTools } from '../deployment/services.ts';

/** Name of the job that generates the secrets. */
const SECRETS = 'secrets';

/** Returns the generated parts of compose.yaml and prometheus.yml, by mark. */
export function generatedParts(graph: Graph): Record<'telemetry' | 'services' | 'names', string> {
  const names = serviceNames(graph);
  return {
    telemetry: Object.keys(otelEnvironment)
      .map((variable) => `  ${variable}: \${${variable}:-}\n`)
      .join(''),
    services: names.map((name) => service(name, memoryOf(graph, name), names)).join('\n'),
    names: names.map((name) => `          - ${name}\n`).join(''),
  };
}

/** Returns the memory limit of a service, in MB. It is the same in every regime. */
function memoryOf(graph: Graph, name: string): number {
  const [regime = 'warm'] = regimeNames;
  return regimeSettings(regime, graph).stages[name]?.memory_mb ?? SMALL_MEMORY_MB;
}

/** Returns the image of a service (infra/images/Dockerfile). */
function imageOf(name: string): 'core' | 'media' {
  return servicesWithoutTools.includes(name) ? 'core' : 'media';
}

/**
 * Returns the service whose block builds an image: its first user. `core` is built for the secrets job, for which all others
 * wait.
 */
function builderOf(image: 'core' | 'media', names: readonly string[]): string {
  return image === 'core' ? SECRETS : (names.find((each) => imageOf(each) === image) ?? '');
}

function service(name: string, memoryMb: number, names: readonly string[]): string {
  const image = imageOf(name);
  const builder = builderOf(image, names);
  const usesModels = name === 'stage-deepspeech';
  const secrets = `'\${FAVE_SECRETS_DIR:-./secrets}/${name}:/run/secrets:ro'`;
  const waitsForBuilder = `depends_on: { <<: *after-set-up, ${builder}: { condition: service_started } }`;
  const lines = [
    `<<: *${image}`,
    ...(name === builder ? [`build: { <<: *build, target: ${image} }`] : builder === SECRETS ? [] : [waitsForBuilder]),
    `command: [${name}]`,
    'environment:',
    `  <<: [*addresses, *telemetry${usesModels ? ', *models' : ''}]`,
    `  ARTIFACT_ACCESS_KEY: ${accessKeyOf(name)}`,
    `  NATS_USER: ${name}`,
    `  FAVE_MEMORY_LIMIT_MB: '${memoryMb}'`,
    ...(usesModels
      ? ['volumes:', `  [/scratch, '\${FAVE_MODELS_DIR:-models}:/models:ro', ${secrets}]`]
      : [`volumes: [/scratch, ${secrets}]`]),
    `mem_limit: ${memoryMb}m`,
  ];
  return `  ${name}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** Replaces the lines between the marks of each part. */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce(
    (before, [mark, part]) =>
      before.replace(
        new RegExp(`( *# <${mark}>\n)[\\s\\S]*?( *# </${mark}>\n)`),
        (_, begin: string, end: string) => `${begin}${part}${end}`,
      ),
    text,
  );
}
