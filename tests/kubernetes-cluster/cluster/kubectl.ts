import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { run } from '../../support/docker/run.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { cacheDir, root } from '../../../infra/process/paths.ts';

/** State of the cluster; lib.sh uses the same directory. */
export const runDir = process.env['FAVE_KUBERNETES_RUN'] || join(tmpdir(), 'fave-kubernetes');
const kubeconfig = join(runDir, 'admin.kubeconfig');
const programs = join(cacheDir, 'kubernetes', 'bin');

/** Environment with which kubectl reaches the cluster. */
const kubectlEnvironment = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(runDir, 'kubecache') };

/** Runs shell commands with kubectl on PATH in the project's root. */
export async function shell(script: string, variables: Readonly<Record<string, string>>): Promise<void> {
  await run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...kubectlEnvironment, ...variables, PATH: `${programs}:${process.env['PATH'] ?? ''}` },
    show: true,
  });
}

/** Runs kubectl. @returns Its standard output. @throws PermanentError `command-failed` with its standard error. */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  return run(join(programs, 'kubectl'), args, { env: kubectlEnvironment, ...(input !== undefined && { input }) });
}

/** Returns the address of the node, at which pods reach processes outside the cluster. */
export function readNodeAddress(): Promise<string> {
  return kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}']);
}

interface Access {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** Returns a client for GET requests to the cluster's API. Two kubectl processes per second would use a tenth of the machine. */
export async function createApiClient(): Promise<<T>(path: string) => Promise<T>> {
  const { clusters, users } = parse(await readFile(kubeconfig, 'utf8')) as Access;
  const [{ cluster }] = clusters;
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  const agent = new Agent({ keepAlive: true, ca });
  const headers = { authorization: `Bearer ${users[0].user.token}`, accept: 'application/json' };
  return <T>(path: string) =>
    new Promise<T>((resolve, reject) => {
      request(`${cluster.server}${path}`, { agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve(JSON.parse(text) as T);
        });
      })
        .once('error', reject)
        .end();
    });
}

/** Changes of a scenario to an overlay. Paths are relative to {@link overlayDir}. */
export interface OverlayChanges {
  readonly components?: readonly string[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator?: readonly object[];
  readonly patches?: readonly object[];
}

export const overlayDir = join(runDir, 'overlay');

/** Returns the path of a directory below `k8s/`, relative to {@link overlayDir}. */
export const manifests = (...path: string[]): string => relative(overlayDir, join(root, 'k8s', ...path));

const createPatch =
  (op: 'add' | 'replace') =>
  (kind: string, path: string, value: unknown): object => ({ target: { kind }, patch: stringify([{ op, path, value }]) });

/** Return patches that replace or add a field in all objects of some kinds. */
export const [replaceField, addField] = [createPatch('replace'), createPatch('add')];

/** Writes an overlay into {@link overlayDir}, with CPU requests so low that all pods of a burst fit on two cores. */
export async function writeOverlay(name: string, { patches = [], ...changes }: OverlayChanges = {}): Promise<void> {
  await mkdir(overlayDir, { recursive: true });
  const kustomization = {
    resources: [manifests('overlays', name)],
    ...changes,
    patches: [
      replaceField('Deployment|StatefulSet', '/spec/template/spec/containers/0/resources/requests/cpu', '10m'),
      ...patches,
    ],
  };
  await writeFile(join(overlayDir, 'kustomization.yaml'), stringify(kustomization));
}

/** Writes an overlay and applies it with `kubectl apply -k`. */
export async function applyOverlay(name: string, changes: OverlayChanges = {}): Promise<void> {
  await writeOverlay(name, changes);
  await kubectl(['apply', '-k', overlayDir]);
}

/** Runs `ctr` on the node's containerd. */
const containerd = (...args: string[]): Promise<string> =>
  run('ctr', ['-a', join(runDir, 'containerd', 'c.sock'), '-n', 'k8s.io', ...args]);

/** Adds a tag to an image of the node, so that it appears as another version. */
export async function tagImage(image: string, from: string, to: string): Promise<void> {
  const of = (tag: string): string => `docker.io/library/${image}:${tag}`;
  await containerd('images', 'tag', '--force', of(from), of(to));
}

/** Kills the process of a server with SIGKILL and deletes its pod without a grace period, like a power failure. */
export async function killPod(name: string): Promise<void> {
  const container = name.replace(/-\d+$/, '');
  const path = `{.status.containerStatuses[?(@.name=="${container}")].containerID}`;
  const id = await kubectl(['-n', NAMESPACE, 'get', 'pod', name, '-o', `jsonpath=${path}`]);
  await containerd('tasks', 'kill', '-s', 'SIGKILL', id.replace('containerd://', ''));
  await kubectl(['-n', NAMESPACE, 'delete', 'pod', name, '--grace-period=0', '--force']);
}

/** Creates a PersistentVolume per claim; the cluster has no provisioner. */
export async function createVolumes(claims: readonly string[]): Promise<void> {
  const volumes = claims.map(async (claim) => {
    const path = join(runDir, 'volumes', claim);
    await mkdir(path, { recursive: true });
    await chown(path, 1000, 1000);
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: claim },
      spec: {
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: NAMESPACE, name: claim },
        hostPath: { path, type: 'Directory' },
      },
    };
  });
  await apply(await Promise.all(volumes));
}

/** Applies manifests. */
export async function apply(objects: readonly object[]): Promise<void> {
  await kubectl(['apply', '-f', '-'], objects.map((each) => stringify(each)).join('---\n'));
}
