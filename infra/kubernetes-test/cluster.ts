import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { cacheDir, root } from '../paths.ts';

/** Where lib.sh has it. */
export const runDir = process.env['FAVE_KUBERNETES_RUN'] || join(tmpdir(), 'fave-kubernetes');
const kubeconfig = join(runDir, 'admin.kubeconfig');
const program = join(cacheDir, 'kubernetes', 'bin', 'kubectl');

/** Runs kubectl. @returns What it said. @throws Error with what it complained of. */
export async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(runDir, 'kubecache') };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  // Most commands end without reading any.
  child.stdin.once('error', () => undefined).end(input);
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${complaint}`);
  return out;
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

/** Applies an overlay as a person does, with what a cluster of one small node needs: room for every pod of a burst. */
export async function applyOverlay(name: string): Promise<void> {
  const dir = join(runDir, 'overlay');
  await mkdir(dir, { recursive: true });
  const request = { op: 'replace', path: '/spec/template/spec/containers/0/resources/requests/cpu', value: '10m' };
  const kustomization = {
    resources: [relative(dir, join(root, 'k8s', 'overlays', name))],
    patches: [{ target: { kind: 'Deployment|StatefulSet' }, patch: stringify([request]) }],
  };
  await writeFile(join(dir, 'kustomization.yaml'), stringify(kustomization));
  await kubectl(['apply', '-k', dir]);
}

/** Disks of the servers: this cluster makes none by itself. */
export async function makeVolumes(claims: readonly string[]): Promise<void> {
  for (const claim of claims) {
    const path = join(runDir, 'volumes', claim);
    await mkdir(path, { recursive: true });
    await chown(path, 1000, 1000);
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: claim },
      spec: {
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: 'fave', name: claim },
        hostPath: { path, type: 'Directory' },
      },
    };
    await kubectl(['apply', '-f', '-'], stringify(volume));
  }
}
