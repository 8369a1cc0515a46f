import { cp, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildOnce } from '../../../infra/process/build-cache.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { imagesDir } from '../../../infra/process/paths.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { run } from './run.ts';

/** Creates the content of an image. @param scratch Directory that is removed afterwards. @returns Path of a tar archive. */
export type Archive = (scratch: string, progress: ProgressReporter) => Promise<string>;

const SUITE = 'bookworm';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export const debian: Archive = (_, progress) => debianTar(progress);

/** Creates a minimal Debian with the certificates of this machine, once. @returns Path of the tar archive. */
function debianTar(progress: ProgressReporter): Promise<string> {
  const make = async (scratch: string): Promise<string> => {
    const [tree, tar] = [join(scratch, 'tree'), join(scratch, 'debian.tar')];
    await run('debootstrap', ['--variant=minbase', SUITE, tree, ...(await mirror())]);
    await rm(join(tree, 'var/cache/apt/archives'), { recursive: true });
    await rm(join(tree, 'var/lib/apt/lists'), { recursive: true });
    // These files belong to this machine.
    for (const name of ['hostname', 'resolv.conf']) await rm(join(tree, 'etc', name), { force: true });
    await mkdir(join(tree, 'etc/ssl/certs'), { recursive: true });
    await cp(CERTIFICATES, join(tree, CERTIFICATES), { dereference: true });
    await run('tar', ['-C', tree, '--one-file-system', '-cf', tar, '.']);
    return tar;
  };
  const description = `making a minimal Debian ${SUITE} by debootstrap (takes one to two minutes, once per machine)`;
  return buildOnce(join(imagesDir, `debian-${SUITE}.tar`), { description, make }, progress);
}

/** Adds the running Node and its npm to Debian, at the paths of the official Node image. */
export async function withNode(scratch: string, progress: ProgressReporter): Promise<string> {
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
  await cp(await debianTar(progress), target);
  await append(target, join(scratch, 'node'), '.');
  return target;
}

/** Adds the Go of this machine to Debian, at the path of the official Go image. Modules come from the proxy of this machine. */
export async function withGo(scratch: string, progress: ProgressReporter): Promise<string> {
  const target = join(scratch, 'go.tar');
  const place = join(scratch, 'go', 'usr', 'local');
  await mkdir(place, { recursive: true });
  const toolchain = (await run('go', ['env', 'GOROOT'])).trim();
  await cp(toolchain, join(place, 'go'), { recursive: true });
  const [proxy = '', sums = ''] = (await run('go', ['env', 'GOPROXY', 'GOSUMDB'])).split('\n');
  await writeFile(join(place, 'go', 'go.env'), `GOPROXY=${proxy}\nGOSUMDB=${sums}\n`);
  await cp(await debianTar(progress), target);
  await append(target, join(scratch, 'go'), '.');
  return target;
}

/** Adds only files: Docker rejects an archive with a duplicate directory. */
async function append(archive: string, cwd: string, path: string): Promise<void> {
  await run('sh', ['-c', 'find "$1" ! -type d | tar -rf "$0" -T -', archive, path], { cwd });
}

/** Returns the package mirror of this machine. If it is unknown, debootstrap uses its default. */
async function mirror(): Promise<string[]> {
  const indices = ['indextargets', '--format', '$(REPO_URI)', `Codename: ${SUITE}`, 'Created-By: Packages'];
  const [first = ''] = (await run('apt-get', indices).catch(() => '')).split('\n');
  return first === '' ? [] : [first];
}

/** Creates an archive of the cached servers, in `/go/bin`. */
export async function servers(scratch: string, progress: ProgressReporter): Promise<string> {
  const target = join(scratch, 'servers.tar');
  const bin = join(scratch, 'servers', 'go', 'bin');
  await mkdir(bin, { recursive: true });
  const { minio, mc, natsServer } = await ensureServers(progress);
  for (const [name, path] of Object.entries({ minio, mc, 'nats-server': natsServer })) await cp(path, join(bin, name));
  await run('tar', ['-C', join(scratch, 'servers'), '-cf', target, '.']);
  return target;
}
