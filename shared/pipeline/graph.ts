import type { Kind } from '../../schemas/kinds.ts';
import type { OptionSchemas } from '../core/options.ts';
import type { AnyStage } from './stage.ts';

/** Seconds that anything of a request may take, whatever it says: as long as its events are kept. A timer counts no 25 days. */
export const LONGEST = 7 * 86_400;

/** Options that concern a request as a whole rather than one stage. */
export const requestOptions = {
  memo: {
    type: 'boolean',
    default: true,
    description: 'whether equal work done before, for any request, is copied instead of done again',
  },
  'item-timeout': {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: LONGEST,
    description: 'seconds that work on one item may take; 0: by the size of the input',
  },
  timeout: {
    type: 'number',
    default: 86_400,
    minimum: 1,
    maximum: LONGEST,
    description: 'seconds that the whole request may take',
  },
} as const satisfies OptionSchemas;

/** The pipeline: everything about the order of work that anybody may know, derived from what stages consume and produce. */
export interface Graph {
  readonly stages: readonly AnyStage[];
  /** Every kind: the user's input, what stages produce, what the platform itself puts. */
  readonly kinds: readonly Kind[];
  /** Every option that a request may set. */
  readonly options: OptionSchemas;
  stage(name: string): AnyStage;
  kind(name: string): Kind;
  consumersOf(kind: string): readonly AnyStage[];
}

/**
 * Derives the graph from the stages and the kinds that exist without any stage.
 * @throws Error that names what does not fit: a kind nobody produces or two stages produce, a name used twice, a cycle,
 * an option that means two things.
 */
export function defineGraph(given: readonly Kind[], stages: readonly AnyStage[]): Graph {
  const owners = new Map<Kind, string>(given.map((kind) => [kind, 'the platform']));
  for (const stage of stages) {
    for (const kind of stage.produces) {
      const owner = owners.get(kind);
      if (owner !== undefined) throw new Error(`${kind.name} is produced by ${owner} and by ${stage.name}`);
      owners.set(kind, stage.name);
      if (!kind.key.startsWith(`${stage.name}/`))
        throw new Error(`${stage.name} may not write ${kind.key}: a stage's objects lie under its own name`);
    }
  }
  const kinds = [...owners.keys()];
  unique(
    'kind',
    kinds.map((kind) => kind.name),
  );
  unique(
    'stage',
    stages.map((stage) => stage.name),
  );
  for (const stage of stages) {
    if (!owners.has(stage.consumes)) throw new Error(`${stage.name} consumes ${stage.consumes.name}, which nothing produces`);
    const absent = stage.reads?.find((kind) => !owners.has(kind));
    if (absent) throw new Error(`${stage.name} reads ${absent.name}, which nothing produces`);
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

function unique(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`there are two ${what}s named ${twice}`);
}

function unknown(what: string, name: string, known: readonly string[]): never {
  throw new Error(`there is no ${what} ${name}; there are ${known.join(', ')}`);
}

function assertAcyclic(stage: AnyStage, next: (kind: Kind) => readonly AnyStage[], path: readonly string[]): void {
  if (path.includes(stage.name)) throw new Error(`stages go in a circle: ${[...path, stage.name].join(' → ')}`);
  for (const kind of stage.produces) for (const consumer of next(kind)) assertAcyclic(consumer, next, [...path, stage.name]);
}

function mergeOptions(stages: readonly AnyStage[]): OptionSchemas {
  const merged: Record<string, OptionSchemas[string]> = { ...requestOptions };
  for (const stage of stages) {
    for (const [name, schema] of Object.entries(stage.options ?? {})) {
      const other = merged[name];
      if (other && JSON.stringify(other) !== JSON.stringify(schema))
        throw new Error(`option ${name} of ${stage.name} means something else elsewhere`);
      merged[name] = schema;
    }
  }
  return merged;
}
