import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IObjectMeta } from '@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta';
import { parseAllDocuments, stringify } from 'yaml';
import { cacheDir, root } from '../../../infra/process/paths.ts';

const run = promisify(execFile);

/** What every manifest has; the rest is asked for by kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: IObjectMeta & { readonly name: string };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export type PodSpec = NonNullable<NonNullable<NonNullable<IDeployment['spec']>['template']>['spec']>;

const k8s = (...path: string[]): string => join(root, 'k8s', ...path);

export const overlayNames = readdirSync(k8s('overlays'));

/** Whatever can be applied: each overlay, each component added to one, by name, and those that several components change together. */
export const allNames = [
  ...overlayNames,
  ...readdirSync(k8s('components')).map((name) => `cold+${name}`),
  'scale-out+monitoring',
];

const kubectl = join(cacheDir, 'kubernetes', 'bin', 'kubectl');

/** kubectl, whose built-in kustomize builds overlays: from the cache, or built from source once, some minutes. */
async function ensureKubectl(): Promise<string> {
  if (!existsSync(kubectl)) {
    await run(join(root, 'tests', 'kubernetes-cluster', 'scripts', 'build.sh'), ['kubectl'], {
      timeout: 880_000,
      maxBuffer: 1e8,
    });
  }
  return kubectl;
}

const built = new Map<string, Promise<readonly Manifest[]>>();

/** The manifests of an overlay, as `kubectl apply -k` sends them; `cold+monitoring`: with a component, as an installation adds it. */
export function overlay(name: string): Promise<readonly Manifest[]> {
  const known = built.get(name) ?? build(name);
  built.set(name, known);
  return known;
}

async function build(name: string): Promise<readonly Manifest[]> {
  const [base = '', component] = name.split('+');
  if (component === undefined) return kustomize(k8s('overlays', base));
  return own(stringify({ resources: [`../k8s/overlays/${base}`], components: [`../k8s/components/${component}`] }));
}

/** The manifests of a kustomization of somebody's own, in a directory beside k8s/. */
export async function own(kustomization: string): Promise<readonly Manifest[]> {
  const dir = await mkdtemp(join(tmpdir(), 'fave-overlay-'));
  try {
    await writeFile(join(dir, 'kustomization.yaml'), kustomization.replaceAll('.', relative(dir, k8s())));
    return await kustomize(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function kustomize(dir: string): Promise<readonly Manifest[]> {
  const { stdout } = await run(await ensureKubectl(), ['kustomize', dir], { maxBuffer: 1e8 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/** Pods of Deployments, StatefulSets and Jobs, by name of their owner. */
export function podsOf(manifests: readonly Manifest[]): { name: string; labels: Record<string, string>; spec: PodSpec }[] {
  return manifests.flatMap(({ metadata, spec }) => {
    const { template } = (spec ?? {}) as { template?: { metadata?: IObjectMeta; spec?: PodSpec } };
    return template?.spec ? [{ name: metadata.name, labels: template.metadata?.labels ?? {}, spec: template.spec }] : [];
  });
}

export function ofKind<T>(manifests: readonly Manifest[], kind: string): (Manifest & T)[] {
  return manifests.filter((manifest) => manifest.kind === kind) as (Manifest & T)[];
}
