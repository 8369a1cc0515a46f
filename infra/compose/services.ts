import type { Graph } from '../../shared/graph.ts';
import { accessKeyOf } from '../policies.ts';
import { regimeNames, regimeSettings } from '../regimes.ts';
import { serviceNames, SMALL, toolless } from '../services.ts';

/** The parts of compose.yaml and prometheus.yml that follow from the graph, by mark. */
export function generatedParts(graph: Graph): Record<'services' | 'secrets' | 'names', string> {
  const names = serviceNames(graph);
  return {
    services: names.map((name) => service(name, memoryOf(graph, name), builderOf(name, names))).join('\n'),
    secrets: names
      .flatMap((name) =>
        ['store', 'bus'].map((kind) => `  ${kind}-${name}: { file: '\${FAVE_SECRETS_DIR:-./secrets}/${kind}/${name}' }\n`),
      )
      .join(''),
    names: names.map((name) => `          - ${name}\n`).join(''),
  };
}

/** MB; a stage's size is the same in every regime. */
function memoryOf(graph: Graph, name: string): number {
  const [regime = 'warm'] = regimeNames;
  return regimeSettings(regime, graph).stages[name]?.memory_mb ?? SMALL;
}

/** What a service runs in (infra/images/Dockerfile). */
function imageOf(name: string): 'core' | 'media' {
  return toolless.includes(name) ? 'core' : 'media';
}

/** The service that builds another's image: see compose.yaml. */
function builderOf(name: string, names: readonly string[]): string {
  return names.find((each) => imageOf(each) === imageOf(name)) ?? name;
}

function service(name: string, memoryMb: number, builder: string): string {
  const image = imageOf(name);
  return `  ${name}:
    <<: *${image}
    ${name === builder ? `build: { <<: *build, target: ${image} }` : `depends_on: { <<: *after-set-up, ${builder}: { condition: service_started } }`}
    command: [${name}]
    environment:
      <<: *addresses
      ARTIFACT_ACCESS_KEY: ${accessKeyOf(name)}
      NATS_USER: ${name}
      FAVE_MEMORY_LIMIT_MB: '${memoryMb}'
    secrets:
      - { source: store-${name}, target: store }
      - { source: bus-${name}, target: bus }
    mem_limit: ${memoryMb}m
`;
}

/** A text whose lines between each part's marks are that part. */
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
