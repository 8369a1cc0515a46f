/**
 * `node tests/infra/kubernetes/update-schemas.ts` writes schemas.json from the Go modules of Kubernetes, KEDA and the Prometheus operator,
 * in the versions of the test cluster. All three have the Apache License 2.0.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { clusterVersions, METADATA, SCHEMAS, type Schema } from './schemas.ts';

/** Kinds of the Kubernetes API in `k8s/`. */
const KINDS = [
  'core.v1.Namespace',
  'core.v1.Service',
  'core.v1.ConfigMap',
  'core.v1.Secret',
  'core.v1.PersistentVolumeClaim',
  'apps.v1.Deployment',
  'apps.v1.StatefulSet',
  'batch.v1.Job',
  'policy.v1.PodDisruptionBudget',
  'networking.v1.NetworkPolicy',
];
const CUSTOM = {
  keda: ['config/crd/bases/keda.sh_scaledobjects.yaml'],
  operator: ['podmonitors', 'servicemonitors', 'prometheusrules'].map(
    (name) => `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
  ),
};

const REFERENCE = '#/definitions/';

async function folderOf(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module]);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Keywords that no validator needs: prose, defaults and merge hints. */
const UNUSED = /^(description|default|format|x-kubernetes-(?!preserve-unknown-fields).*)$/;

/** An inline flag of Go's regular expressions, which JavaScript does not support. */
const GO_FLAG = /\(\?i\)/;

/** Returns a schema without unused keywords. */
function slim(value: unknown, inProperties = false): unknown {
  if (Array.isArray(value)) return value.map((each) => slim(each));
  if (typeof value !== 'object' || value === null) return value;
  if ('format' in value && value.format === 'int-or-string') return { type: ['integer', 'string'] };
  const kept = Object.entries(value).filter(
    ([key, each]) => inProperties || !(UNUSED.test(key) || (key === 'pattern' && GO_FLAG.test(String(each)))),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, slim(each, !inProperties && key === 'properties')]));
}

interface Swagger {
  readonly definitions: Record<string, object>;
}
type Gvk = Record<'group' | 'version' | 'kind', string>;

/** Returns the kinds of the Kubernetes API and every definition that they refer to. */
function readSwagger({ definitions: all }: Swagger): { kinds: Record<string, Schema>; definitions: Record<string, Schema> } {
  const definitions: Record<string, Schema> = {};
  const visit = (name: string): void => {
    if (definitions[name]) return;
    const schema = slim(all[name]) as Schema;
    definitions[name] = schema;
    for (const [, other = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) visit(other);
  };
  const kinds = KINDS.map((short): [string, Schema] => {
    const name = `io.k8s.api.${short}`;
    visit(name);
    const [of] = (all[name] as Record<string, Gvk[]>)['x-kubernetes-group-version-kind'] ?? [];
    if (!of) throw new Error(`${name} has no group, version and kind`);
    return [`${of.group === '' ? '' : `${of.group}/`}${of.version}/${of.kind}`, { $ref: `${REFERENCE}${name}` }];
  });
  return { kinds: Object.fromEntries(kinds), definitions };
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: { readonly name: string; readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

/** Returns the schema of each version of a custom resource, with the metadata of all resources. */
function readDefinition({ spec: { group, names, versions } }: Crd): [string, Schema][] {
  return versions.map(({ name, schema: { openAPIV3Schema } }) => {
    const schema = slim(openAPIV3Schema) as Schema;
    return [
      `${group}/${name}/${names.kind}`,
      { ...schema, properties: { ...schema.properties, metadata: { $ref: `${REFERENCE}${METADATA}` } } },
    ];
  });
}

const { kubernetes, keda, operator } = await clusterVersions();
const modules = {
  kubernetes: `k8s.io/kubernetes@v${kubernetes}`,
  keda: `github.com/kedacore/keda/v2@v${keda}`,
  operator: `github.com/prometheus-operator/prometheus-operator@v${operator}`,
};
const swagger = join(await folderOf(modules.kubernetes), 'api', 'openapi-spec', 'swagger.json');
const { kinds, definitions } = readSwagger(JSON.parse(await readFile(swagger, 'utf8')) as Swagger);
for (const [name, paths] of Object.entries(CUSTOM)) {
  const folder = await folderOf(modules[name as keyof typeof CUSTOM]);
  for (const path of paths)
    Object.assign(kinds, Object.fromEntries(readDefinition(parse(await readFile(join(folder, path), 'utf8')) as Crd)));
}
// One line per kind keeps diffs readable.
const lines = (named: Record<string, Schema>): string =>
  Object.entries(named)
    .map(([name, schema]) => `    ${JSON.stringify(name)}: ${JSON.stringify(schema)}`)
    .join(',\n');
const from = JSON.stringify({ from: Object.values(modules), license: 'Apache-2.0' }).slice(1, -1);
await writeFile(
  SCHEMAS,
  `{\n  ${from},\n  "kinds": {\n${lines(kinds)}\n  },\n  "definitions": {\n${lines(definitions)}\n  }\n}\n`,
);
