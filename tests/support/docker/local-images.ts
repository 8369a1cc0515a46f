import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { imagesDir, root } from '../../../infra/process/paths.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import * as archives from './archives.ts';
import { run, succeeds } from './run.ts';

/** Reads the base images of the Dockerfile, by build argument. */
export async function baseImages(): Promise<Environment> {
  const dockerfile = await readFile(join(root, 'infra', 'images', 'Dockerfile'), 'utf8');
  return Object.fromEntries(
    [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+:\S+)$/gm)].map(([, name = '', image = '']) => [name, image]),
  );
}

/** Environment of the official Go image. */
const GO_ENVIRONMENT = [
  'ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

type Environment = Readonly<Record<string, string>>;

export interface Bases {
  /** Has MinIO and NATS built in a container, instead of taking those of this machine's cache. */
  readonly serversFromSource?: boolean;
}

/** An image made here. */
interface StandIn {
  readonly image: string;
  readonly archive: archives.Archive;
  /** Dockerfile instructions for settings that an archive cannot hold. */
  readonly changes?: readonly string[];
}

const debian: StandIn = { image: 'fave-stand-in/debian', archive: archives.debian };
const node: StandIn = { image: `fave-stand-in/node:${process.version}`, archive: archives.withNode };
const go: StandIn = { image: 'fave-stand-in/go', archive: archives.withGo, changes: GO_ENVIRONMENT };
const servers: StandIn = { image: `fave-stand-in/servers:${pinned()}`, archive: archives.servers };

/**
 * Returns variables that select base images. MinIO and NATS come from the cache of this machine. Without an image registry,
 * Debian comes from debootstrap, and Node, npm and Go from this machine.
 */
export async function createLocalImages(
  env: Environment,
  progress: ProgressReporter,
  { serversFromSource = false }: Bases = {},
): Promise<Environment> {
  const { DEBIAN_IMAGE = '', NODE_IMAGE = '' } = await baseImages();
  progress(`asking the registry of images for ${DEBIAN_IMAGE} and ${NODE_IMAGE} …`);
  const pulled = await Promise.all([DEBIAN_IMAGE, NODE_IMAGE].map((image) => succeeds('docker', ['pull', '-q', image], { env })));
  const answers = pulled.every(Boolean);
  if (!answers) progress('it does not answer: Debian is made by debootstrap, and Node is the one that runs this');
  const wanted: Readonly<Record<string, StandIn>> = {
    ...(answers ? {} : { FAVE_DEBIAN_IMAGE: debian, FAVE_NODE_IMAGE: node }),
    ...(answers || !serversFromSource ? {} : { FAVE_GO_IMAGE: go }),
    ...(serversFromSource ? {} : { FAVE_SERVERS_IMAGE: servers }),
  };
  for (const standIn of Object.values(wanted)) await ensureStandIn(standIn, env, progress);
  return Object.fromEntries(Object.entries(wanted).map(([variable, { image }]) => [variable, image]));
}

/** A name for the versions that the servers are pinned to. */
function pinned(): string {
  return createHash('sha256').update(JSON.stringify(serverPrograms)).digest('hex').slice(0, 12);
}

async function ensureStandIn(
  { image, archive, changes = [] }: StandIn,
  env: Environment,
  progress: ProgressReporter,
): Promise<void> {
  if (await succeeds('docker', ['image', 'inspect', image], { env })) return;
  await mkdir(imagesDir, { recursive: true });
  const scratch = await mkdtemp(join(imagesDir, '.stand-in-'));
  try {
    progress(`making ${image} …`);
    const path = await archive(scratch, progress);
    await run('docker', ['import', ...changes.flatMap((change) => ['--change', change]), path, image], { env });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
