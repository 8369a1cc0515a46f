/**
 * `node tests/infra/kubernetes/update-schemas.ts`: writes schemas.json from the Go modules of Kubernetes, KEDA and the Prometheus operator,
 * in the versions that the test cluster runs. All three are under the Apache License 2.0.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { clusterVersions, METADATA, SCHEMAS, type Schema } from './schemas.ts';

/** What `k8s/` consists of. */
const KINDS = [
  'core.v1.Namespace',
  'core.v1.Service',
  'core.v1.ConfigMap',
  'core.v1.Secret',
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

const UNREAD = /^(description|default|format|x-kubernetes-(?!preserve-unknown-fields).*)$/;

/** A flag within a pattern, which Go knows and JavaScript does not. */
const GO = /\(\?i\)/;

/** Without what no validator reads: prose, defaults, and hints for those who merge. */
function slim(value: unknown, inProperties = false): unknown {
  if (Array.isArray(value)) return value.map((each) => slim(each));
  if (typeof value !== 'object' || value === null) return value;
  if ('format' in value && value.format === 'int-or-string') return { type: ['integer', 'string'] };
  const kept = Object.entries(value).filter(
    ([key, each]) => inProperties || !(UNREAD.test(key) || (key === 'pattern' && GO.test(String(each)))),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, slim(each, !inProperties && key === 'properties')]));
}

interface Swagger {
  readonly definitions: Record<string, object>;
}
type Gvk = Record<'group' | 'version' | 'kind', string>;

/** The API's own kinds, and every definition that they refer to. */
function ofKubernetes({ definitions: all }: Swagger): { kinds: Record<string, Schema>; definitions: Record<string, Schema> } {
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
    if (!of) throw new Error(`${name} is no kind`);
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

/** What a custom resource's definition says, with the metadata that every resource has. */
function ofCustom({ spec: { group, names, versions } }: Crd): [string, Schema][] {
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
const { kinds, definitions } = ofKubernetes(JSON.parse(await readFile(swagger, 'utf8')) as Swagger);
for (const [house, paths] of Object.entries(CUSTOM)) {
  const folder = await folderOf(modules[house as keyof typeof CUSTOM]);
  for (const path of paths)
    Object.assign(kinds, Object.fromEntries(ofCustom(parse(await readFile(join(folder, path), 'utf8')) as Crd)));
}
// A line a kind, so that a change can be read.
const lines = (named: Record<string, Schema>): string =>
  Object.entries(named)
    .map(([name, schema]) => `    ${JSON.stringify(name)}: ${JSON.stringify(schema)}`)
    .join(',\n');
const from = JSON.stringify({ from: Object.values(modules), license: 'Apache-2.0' }).slice(1, -1);
await writeFile(
  SCHEMAS,
  `{\n  ${from},\n  "kinds": {\n${lines(kinds)}\n  },\n  "definitions": {\n${lines(definitions)}\n  }\n}\n`,
);
