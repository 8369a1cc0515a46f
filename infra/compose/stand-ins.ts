import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDir } from '../paths.ts';
import { ensureServers, type Progress } from '../servers/install.ts';
import { run, succeeds } from './run.ts';

/** Images that compose.yaml builds from, by the variable that names another one. */
const upstream = { FAVE_DEBIAN_IMAGE: 'debian:bookworm-slim', FAVE_NODE_IMAGE: 'node:22-bookworm-slim' };

const SUITE = 'bookworm';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

type Environment = Readonly<Record<string, string>>;

/**
 * Variables by which images are built on a machine that reaches no registry of images: Debian by debootstrap, this machine's
 * Node and npm, and the servers of the cache. Where the registry answers, none.
 */
export async function standIns(env: Environment, progress: Progress): Promise<Environment> {
  const pulled = await Promise.all(Object.values(upstream).map((image) => succeeds('docker', ['pull', '-q', image], { env })));
  if (pulled.every(Boolean)) return {};
  progress('no registry of images answers: they are built from stand-ins made here');
  const names = {
    FAVE_DEBIAN_IMAGE: 'fave-stand-in/debian',
    FAVE_NODE_IMAGE: 'fave-stand-in/node',
    FAVE_SERVERS_IMAGE: 'fave-stand-in/servers',
  };
  const made = await Promise.all(Object.values(names).map((image) => succeeds('docker', ['image', 'inspect', image], { env })));
  if (made.every(Boolean)) return names;
  const scratch = await mkdtemp(join(await imagesDir(), '.stand-in-'));
  try {
    const debian = await debianTar(progress);
    await importTar(debian, names.FAVE_DEBIAN_IMAGE, env);
    await importTar(await withNode(debian, scratch), names.FAVE_NODE_IMAGE, env);
    await importTar(await serversTar(scratch, progress), names.FAVE_SERVERS_IMAGE, env);
    return names;
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
  // Files alone: Docker refuses an archive that names a folder twice.
  await run('sh', ['-c', 'find . ! -type d | tar -rf "$0" -T -', target], { cwd: join(scratch, 'node') });
  return target;
}

/** Where this machine has its own packages from; debootstrap's own default where that is not to be known. */
async function mirror(): Promise<string[]> {
  const indices = ['indextargets', '--format', '$(REPO_URI)', `Codename: ${SUITE}`, 'Created-By: Packages'];
  const [first = ''] = (await run('apt-get', indices).catch(() => '')).split('\n');
  return first === '' ? [] : [first];
}

async function serversTar(scratch: string, progress: Progress): Promise<string> {
  const target = join(scratch, 'servers.tar');
  const bin = join(scratch, 'servers', 'go', 'bin');
  await mkdir(bin, { recursive: true });
  const { minio, mc, natsServer } = await ensureServers(progress);
  for (const [name, path] of Object.entries({ minio, mc, 'nats-server': natsServer })) await cp(path, join(bin, name));
  await run('tar', ['-C', join(scratch, 'servers'), '-cf', target, '.']);
  return target;
}

async function importTar(path: string, image: string, env: Environment): Promise<void> {
  await run('docker', ['import', path, image], { env });
}
