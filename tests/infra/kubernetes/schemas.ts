import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { root } from '../../../infra/process/paths.ts';
import type { Manifest } from './render.ts';

/** Schemas of the API server and of the custom resources, written by update-schemas.ts. */
export const SCHEMAS = join(root, 'tests', 'infra', 'kubernetes', 'schemas.json');

export const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly [keyword: string]: unknown;
}

interface Schemas {
  readonly from: readonly string[];
  readonly kinds: Readonly<Record<string, Schema>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** Returns the versions of the test cluster, from its build script. */
export async function clusterVersions(): Promise<Record<'kubernetes' | 'keda' | 'operator', string>> {
  const script = await readFile(join(root, 'tests', 'kubernetes-cluster', 'scripts', 'build.sh'), 'utf8');
  const version = (name: string): string => new RegExp(`\\b${name}=([\\d.]+)`).exec(script)?.[1] ?? `build.sh sets no ${name}`;
  return { kubernetes: version('KUBERNETES'), keda: version('KEDA'), operator: version('PROMETHEUS_OPERATOR') };
}

const strictEach = (named: Readonly<Record<string, Schema>>): Record<string, Schema> =>
  Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, strict(schema)]));

/** Returns a schema that rejects unknown fields, as `kubectl apply` does. Maps and objects with `preserve-unknown-fields` stay open. */
function strict(schema: Schema): Schema {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && { properties: strictEach(properties) }),
    ...(properties && additionalProperties === undefined && !schema['x-kubernetes-preserve-unknown-fields']
      ? { additionalProperties: false }
      : typeof additionalProperties === 'object' && { additionalProperties: strict(additionalProperties) }),
    ...(items && { items: strict(items) }),
  };
}

export const schemas = JSON.parse(await readFile(SCHEMAS, 'utf8')) as Schemas;
const definitions = strictEach(schemas.definitions);
const kinds = strictEach(schemas.kinds);
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const compiled = new Map<string, ValidateFunction>();

/** Returns the violations of a manifest's schema. */
export function faults(manifest: Pick<Manifest, 'apiVersion' | 'kind'>): string[] {
  const name = `${manifest.apiVersion}/${manifest.kind}`;
  const schema = kinds[name];
  if (!schema) return [`no schema for ${name}: add it to update-schemas.ts`];
  const validate = compiled.get(name) ?? ajv.compile({ ...schema, definitions });
  compiled.set(name, validate);
  validate(manifest);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
}
