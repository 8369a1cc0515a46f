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

/** Fields that every manifest has. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: IObjectMeta & { readonly name: string };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

type PodSpec = NonNullable<NonNullable<NonNullable<IDeployment['spec']>['template']>['spec']>;

const k8s = (...path: string[]): string => join(root, 'k8s', ...path);

/** Every overlay, each component on an overlay, and a combination in which several components patch the same object. */
export const allNames = [
  ...readdirSync(k8s('overlays')),
  ...readdirSync(k8s('components')).map((name) => `cold+${name}`),
  'scale-out+monitoring',
];

const kubectl = join(cacheDir, 'kubernetes', 'bin', 'kubectl');

/** Returns kubectl, which includes Kustomize, from the cache. The first call on a machine builds it, which takes minutes. */
async function ensureKubectl(): Promise<string> {
  if (!existsSync(kubectl)) {
    const build = join(root, 'tests', 'kubernetes-cluster', 'scripts', 'build.sh');
    await run(build, ['kubectl'], { timeout: 880_000, maxBuffer: 1e8 });
  }
  return kubectl;
}

const rendered = new Map<string, Promise<readonly Manifest[]>>();

/** Returns the manifests that `kubectl apply -k` would send. @param name An overlay (`cold`), or one with a component (`cold+monitoring`). */
export function renderOverlay(name: string): Promise<readonly Manifest[]> {
  const manifests = rendered.get(name) ?? render(name);
  rendered.set(name, manifests);
  return manifests;
}

async function render(name: string): Promise<readonly Manifest[]> {
  const [base = '', component] = name.split('+');
  if (component === undefined) return kustomize(k8s('overlays', base));
  return renderText(stringify({ resources: [`../k8s/overlays/${base}`], components: [`../k8s/components/${component}`] }));
}

/** Returns the manifests of a kustomization in a directory beside `k8s/`. */
export async function renderText(kustomization: string): Promise<readonly Manifest[]> {
  const dir = await mkdtemp(join(tmpdir(), 'fave-overlay-'));
  try {
    await writeFile(join(dir, 'kustomization.yaml'), kustomization.replaceAll('../k8s', relative(dir, k8s())));
    return await kustomize(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function kustomize(dir: string): Promise<readonly Manifest[]> {
  const { stdout } = await run(await ensureKubectl(), ['kustomize', dir], { maxBuffer: 1e8 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/** Returns the pods of Deployments, StatefulSets and Jobs, by name of the owner. */
export function podsOf(manifests: readonly Manifest[]): { name: string; labels: Record<string, string>; spec: PodSpec }[] {
  return manifests.flatMap(({ metadata, spec }) => {
    const { template } = (spec ?? {}) as { template?: { metadata?: IObjectMeta; spec?: PodSpec } };
    return template?.spec ? [{ name: metadata.name, labels: template.metadata?.labels ?? {}, spec: template.spec }] : [];
  });
}

export function ofKind<T>(manifests: readonly Manifest[], kind: string): (Manifest & T)[] {
  return manifests.filter((manifest) => manifest.kind === kind) as (Manifest & T)[];
}

/** Returns a ConfigMap with a generated name. */
export function configMap(manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> {
  return ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith(`${name}-`))?.data ?? {};
}
