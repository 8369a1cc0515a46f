import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDir } from '../paths.ts';
import { ensureServers, type Progress } from '../servers/install.ts';
import { run, succeeds } from './run.ts';

/** Images that compose.yaml builds from, by the variable that names another one. */
const upstream = { FAVE_DEBIAN_IMAGE: 'debian:bookworm-slim', FAVE_NODE_IMAGE: 'node:22-bookworm-slim' };

const SUITE = 'bookworm';
/** What Go's own image sets. */
const GO_ENVIRONMENT = [
  'ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

type Environment = Readonly<Record<string, string>>;

export interface Bases {
  /** Has MinIO and NATS built in a container, instead of taking those of this machine's cache. */
  readonly serversFromSource?: boolean;
}

/** An image made here: its name, and what makes its archive in a folder that is removed afterwards. @returns The archive's path. */
interface StandIn {
  readonly image: string;
  readonly archive: (debian: string, scratch: string, progress: Progress) => Promise<string>;
  /** Instructions of a Dockerfile for what an archive cannot hold. */
  readonly changes?: readonly string[];
}

const debian: StandIn = { image: 'fave-stand-in/debian', archive: (tar) => Promise.resolve(tar) };
const node: StandIn = { image: 'fave-stand-in/node', archive: withNode };
const servers: StandIn = { image: 'fave-stand-in/servers', archive: serversTar };
const go: StandIn = { image: 'fave-stand-in/go', archive: withGo, changes: GO_ENVIRONMENT };

/**
 * Variables by which images are built on a machine that reaches no registry of images: Debian by debootstrap, this machine's
 * Node and npm, and the servers of the cache or this machine's Go. Where the registry answers, none.
 */
export async function standIns(
  env: Environment,
  progress: Progress,
  { serversFromSource = false }: Bases = {},
): Promise<Environment> {
  const pulled = await Promise.all(Object.values(upstream).map((image) => succeeds('docker', ['pull', '-q', image], { env })));
  if (pulled.every(Boolean)) return {};
  progress('no registry of images answers: they are built from stand-ins made here');
  const wanted: Readonly<Record<string, StandIn>> = {
    FAVE_DEBIAN_IMAGE: debian,
    FAVE_NODE_IMAGE: node,
    ...(serversFromSource ? { FAVE_GO_IMAGE: go } : { FAVE_SERVERS_IMAGE: servers }),
  };
  for (const standIn of Object.values(wanted)) await ensureStandIn(standIn, env, progress);
  return Object.fromEntries(Object.entries(wanted).map(([variable, { image }]) => [variable, image]));
}

async function ensureStandIn({ image, archive, changes = [] }: StandIn, env: Environment, progress: Progress): Promise<void> {
  if (await succeeds('docker', ['image', 'inspect', image], { env })) return;
  const scratch = await mkdtemp(join(await imagesDir(), '.stand-in-'));
  try {
    const path = await archive(await debianTar(progress), scratch, progress);
    progress(`making ${image} …`);
    await run('docker', ['import', ...changes.flatMap((change) => ['--change', change]), path, image], { env });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function imagesDir(): Promise<string> {
  const dir = join(cacheDir, 'images');
  await mkdir(dir, { recursive: true });
  return dir;
}

/** A minimal Debian that trusts whom this machine trusts, made once. @returns Path of the tarball. */
async function debianTar(progress: Progress): Promise<string> {
  const dir = await imagesDir();
  const target = join(dir, `debian-${SUITE}.tar`);
  if (existsSync(target)) return target;
  progress(`making a minimal Debian ${SUITE} …`);
  const scratch = await mkdtemp(join(dir, '.debian-'));
  try {
    await run('debootstrap', ['--variant=minbase', SUITE, scratch, ...(await mirror())]);
    await rm(join(scratch, 'var/cache/apt/archives'), { recursive: true });
    await rm(join(scratch, 'var/lib/apt/lists'), { recursive: true });
    await mkdir(join(scratch, 'etc/ssl/certs'), { recursive: true });
    await cp(CERTIFICATES, join(scratch, CERTIFICATES), { dereference: true });
    await run('tar', ['-C', scratch, '--one-file-system', '-cf', `${target}.new`, '.']);
    await rename(`${target}.new`, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}

/** Debian with the Node that runs this and its npm, where Node's image has them. */
async function withNode(debian: string, scratch: string): Promise<string> {
  const target = join(scratch, 'node.tar');
  const usr = join(scratch, 'node', 'usr', 'local');
  await mkdir(join(usr, 'bin'), { recursive: true });
  await mkdir(join(usr, 'etc'), { recursive: true });
  await cp(process.execPath, join(usr, 'bin', 'node'));
  const npm = await realpath((await run('sh', ['-c', 'command -v npm'])).trim());
  await cp(dirname(dirname(npm)), join(usr, 'lib', 'node_modules', 'npm'), { recursive: true });
  await writeFile(join(usr, 'bin', 'npm'), '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n', {
    mode: 0o755,
  });
  const registry = (await run('npm', ['config', 'get', 'registry'])).trim();
  await writeFile(join(usr, 'etc', 'npmrc'), `registry=${registry}\ncafile=${CERTIFICATES}\n`);
  await cp(debian, target);
  await append(target, join(scratch, 'node'), '.');
  return target;
}

/** Debian with the Go of this machine, where Go's image has it, which asks whom this machine asks for modules. */
async function withGo(debian: string, scratch: string): Promise<string> {
  const target = join(scratch, 'go.tar');
  const place = join(scratch, 'go', 'usr', 'local');
  await mkdir(place, { recursive: true });
  const toolchain = (await run('go', ['env', 'GOROOT'])).trim();
  await cp(toolchain, join(place, 'go'), { recursive: true });
  const [proxy = '', sums = ''] = (await run('go', ['env', 'GOPROXY', 'GOSUMDB'])).split('\n');
  await writeFile(join(place, 'go', 'go.env'), `GOPROXY=${proxy}\nGOSUMDB=${sums}\n`);
  await cp(debian, target);
  await append(target, join(scratch, 'go'), '.');
  return target;
}

/** Files alone: Docker refuses an archive that names a folder twice. */
async function append(archive: string, cwd: string, path: string): Promise<void> {
  await run('sh', ['-c', 'find "$1" ! -type d | tar -rf "$0" -T -', archive, path], { cwd });
}

/** Where this machine has its own packages from; debootstrap's own default where that is not to be known. */
async function mirror(): Promise<string[]> {
  const indices = ['indextargets', '--format', '$(REPO_URI)', `Codename: ${SUITE}`, 'Created-By: Packages'];
  const [first = ''] = (await run('apt-get', indices).catch(() => '')).split('\n');
  return first === '' ? [] : [first];
}

async function serversTar(_: string, scratch: string, progress: Progress): Promise<string> {
  const target = join(scratch, 'servers.tar');
  const bin = join(scratch, 'servers', 'go', 'bin');
  await mkdir(bin, { recursive: true });
  const { minio, mc, natsServer } = await ensureServers(progress);
  for (const [name, path] of Object.entries({ minio, mc, 'nats-server': natsServer })) await cp(path, join(bin, name));
  await run('tar', ['-C', join(scratch, 'servers'), '-cf', target, '.']);
  return target;
}
