import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { run } from '../../../infra/compose/run.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { cacheDir, root } from '../../../infra/process/paths.ts';

/** Where lib.sh has it. */
export const runDir = process.env['FAVE_KUBERNETES_RUN'] || join(tmpdir(), 'fave-kubernetes');
const kubeconfig = join(runDir, 'admin.kubeconfig');
const programs = join(cacheDir, 'kubernetes', 'bin');

/** By which kubectl finds the cluster. */
const access = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(runDir, 'kubecache') };

/** Runs commands of a shell that say `kubectl`, from the project's root. */
export async function shell(script: string, variables: Readonly<Record<string, string>>): Promise<void> {
  await run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...access, ...variables, PATH: `${programs}:${process.env['PATH'] ?? ''}` },
    show: true,
  });
}

/** Runs kubectl. @returns What it said. @throws PermanentError `command-failed` with what it complained of. */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  return run(join(programs, 'kubectl'), args, { env: access, ...(input !== undefined && { input }) });
}

/** Where pods reach what runs beside the cluster. */
export function nodeAddress(): Promise<string> {
  return kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}']);
}

interface Access {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** Asks the cluster's API by itself: a kubectl process twice a second would take a tenth of the machine. */
export async function createApi(): Promise<<T>(path: string) => Promise<T>> {
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

/** What a scenario changes in an overlay, as a person would in a kustomization of their own. Paths are relative to {@link overlayDir}. */
export interface Adaptation {
  readonly components?: readonly string[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator?: readonly object[];
  readonly patches?: readonly object[];
}

export const overlayDir = join(runDir, 'overlay');

/** Path of a folder below `k8s/`, as a kustomization in {@link overlayDir} names it. */
export const manifests = (...path: string[]): string => relative(overlayDir, join(root, 'k8s', ...path));

const patchOf =
  (op: 'add' | 'replace') =>
  (kind: string, path: string, value: unknown): object => ({ target: { kind }, patch: stringify([{ op, path, value }]) });

/** Patches of all objects of some kinds: of a field that is there, of one that is not. */
export const [replacement, addition] = [patchOf('replace'), patchOf('add')];

/** Writes an overlay into {@link overlayDir}, with what a cluster of one small node needs: room for every pod of a burst. */
export async function writeOverlay(name: string, { patches = [], ...adaptation }: Adaptation = {}): Promise<void> {
  await mkdir(overlayDir, { recursive: true });
  const kustomization = {
    resources: [manifests('overlays', name)],
    ...adaptation,
    patches: [
      replacement('Deployment|StatefulSet', '/spec/template/spec/containers/0/resources/requests/cpu', '10m'),
      ...patches,
    ],
  };
  await writeFile(join(overlayDir, 'kustomization.yaml'), stringify(kustomization));
}

/** Applies an overlay as a person does. */
export async function applyOverlay(name: string, adaptation: Adaptation = {}): Promise<void> {
  await writeOverlay(name, adaptation);
  await kubectl(['apply', '-k', overlayDir]);
}

/** Asks the node's containerd. */
const containerd = (...args: string[]): Promise<string> =>
  run('ctr', ['-a', join(runDir, 'containerd', 'c.sock'), '-n', 'k8s.io', ...args]);

/** Gives an image of the node another tag, as if it were another version. */
export async function retag(image: string, from: string, to: string): Promise<void> {
  const of = (tag: string): string => `docker.io/library/${image}:${tag}`;
  await containerd('images', 'tag', '--force', of(from), of(to));
}

/** Ends a server's pod as a power cut would: its process without a word, and then what the cluster knows of it. */
export async function killPod(name: string): Promise<void> {
  const container = name.replace(/-\d+$/, '');
  const path = `{.status.containerStatuses[?(@.name=="${container}")].containerID}`;
  const id = await kubectl(['-n', NAMESPACE, 'get', 'pod', name, '-o', `jsonpath=${path}`]);
  await containerd('tasks', 'kill', '-s', 'SIGKILL', id.replace('containerd://', ''));
  await kubectl(['-n', NAMESPACE, 'delete', 'pod', name, '--grace-period=0', '--force']);
}

/** A disk for each claim: this cluster makes none by itself. */
export async function makeVolumes(claims: readonly string[]): Promise<void> {
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
