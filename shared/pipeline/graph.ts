import type { Kind } from '../../schemas/kinds.ts';
import { MAX_TIMEOUT_SECONDS } from '../config/limits.ts';
import type { OptionSchemas } from '../core/options.ts';
import type { AnyStage } from './stage.ts';

/** Options that concern a request as a whole rather than one stage. */
export const requestOptions = {
  memo: {
    type: 'boolean',
    default: true,
    description: 'reuse of results that any request computed from the same content',
  },
  'item-timeout': {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: MAX_TIMEOUT_SECONDS,
    description: 'timeout for one item, in seconds, up to the limit of the operator; 0: depends on the size of the input',
  },
  timeout: {
    type: 'number',
    default: 86_400,
    minimum: 1,
    maximum: MAX_TIMEOUT_SECONDS,
    description: 'timeout for the whole request, in seconds, up to the limit of the operator',
  },
} as const satisfies OptionSchemas;

/** The stages and kinds of a pipeline. Their order follows from the kinds that stages consume and produce. */
export interface Graph {
  readonly stages: readonly AnyStage[];
  /** All kinds: inputs, artifacts, and objects that the platform writes. */
  readonly kinds: readonly Kind[];
  /** All options of a request. */
  readonly options: OptionSchemas;
  stage(name: string): AnyStage;
  kind(name: string): Kind;
  consumersOf(kind: string): readonly AnyStage[];
}

/**
 * Derives the graph from the stages and the kinds that no stage produces.
 * @throws Error if a kind has no producer or several, a name is used twice, the stages form a cycle, or two stages define an
 * option differently.
 */
export function defineGraph(platformKinds: readonly Kind[], stages: readonly AnyStage[]): Graph {
  const owners = new Map<Kind, string>(platformKinds.map((kind) => [kind, 'the platform']));
  for (const stage of stages) {
    for (const kind of stage.produces) {
      const owner = owners.get(kind);
      if (owner !== undefined) throw new Error(`${kind.name} is produced by ${owner} and by ${stage.name}`);
      owners.set(kind, stage.name);
      if (!kind.key.startsWith(`${stage.name}/`))
        throw new Error(`${stage.name} cannot produce ${kind.key}: the key must begin with ${stage.name}/`);
    }
  }
  const kinds = [...owners.keys()];
  assertUnique(
    'kind',
    kinds.map((kind) => kind.name),
  );
  assertUnique(
    'stage',
    stages.map((stage) => stage.name),
  );
  for (const stage of stages) {
    if (!owners.has(stage.consumes)) throw new Error(`${stage.name} consumes ${stage.consumes.name}, which has no producer`);
    const absent = stage.reads?.find((kind) => !owners.has(kind));
    if (absent) throw new Error(`${stage.name} reads ${absent.name}, which has no producer`);
    if (!stage.consumes.announced) throw new Error(`${stage.name} consumes ${stage.consumes.name}, which is not announced`);
  }
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const kindByName = new Map(kinds.map((kind) => [kind.name, kind]));
  const consumers = new Map(kinds.map((kind) => [kind.name, stages.filter((stage) => stage.consumes === kind)]));
  for (const stage of stages) assertAcyclic(stage, (kind) => consumers.get(kind.name) ?? [], []);

  return {
    stages,
    kinds,
    options: mergeOptions(stages),
    stage: (name) => byName.get(name) ?? unknown('stage', name, [...byName.keys()]),
    kind: (name) => kindByName.get(name) ?? unknown('kind', name, [...kindByName.keys()]),
    consumersOf: (kind) => consumers.get(kind) ?? [],
  };
}

function assertUnique(noun: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`there are two ${noun}s named ${twice}`);
}

function unknown(noun: string, name: string, names: readonly string[]): never {
  throw new Error(`there is no ${noun} ${name}; there are ${names.join(', ')}`);
}

function assertAcyclic(stage: AnyStage, next: (kind: Kind) => readonly AnyStage[], path: readonly string[]): void {
  if (path.includes(stage.name)) throw new Error(`the stages form a cycle: ${[...path, stage.name].join(' → ')}`);
  for (const kind of stage.produces) for (const consumer of next(kind)) assertAcyclic(consumer, next, [...path, stage.name]);
}

function mergeOptions(stages: readonly AnyStage[]): OptionSchemas {
  const merged: Record<string, OptionSchemas[string]> = { ...requestOptions };
  for (const stage of stages) {
    for (const [name, schema] of Object.entries(stage.options ?? {})) {
      const other = merged[name];
      if (other && JSON.stringify(other) !== JSON.stringify(schema))
        throw new Error(`option ${name} of ${stage.name} has another schema in another stage`);
      merged[name] = schema;
    }
  }
  return merged;
}
