/**
 * `npm run images:pin`: pins the base images and the images of `--profile observe` by digest. A tag can be moved to other content, a
 * digest cannot. Arguments: the project's directory. It needs a Docker daemon with access to the registry of images.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../shared/core/errors.ts';
import { root } from '../process/paths.ts';

/** Files that name images, relative to the root of the project. */
const FILES = ['infra/images/Dockerfile', 'compose.yaml'];

/** An image with a version, as the value of a build argument or the default of a Compose variable; the digest is optional. */
const IMAGE = /(_IMAGE(?:=|:-))([a-z/-]+:[\w.-]*\d[\w.-]*)(?:@sha256:[0-9a-f]{64})?/g;

/** Pulls an image. Returns the digest of its index, which includes all architectures. */
async function resolveDigest(image: string): Promise<string> {
  const docker = promisify(execFile);
  await docker('docker', ['pull', '--quiet', image]);
  const { stdout } = await docker('docker', ['image', 'inspect', '--format', '{{index .RepoDigests 0}}', image]);
  const [, digest] = /@(sha256:[0-9a-f]{64})\s*$/.exec(stdout) ?? [];
  if (digest === undefined) throw new Error(`Docker reported no digest for ${image}: pull it from a registry`);
  return digest;
}

try {
  const [directory = root] = process.argv.slice(2);
  const texts = await Promise.all(FILES.map((name) => readFile(join(directory, name), 'utf8')));
  const images = new Set(texts.flatMap((text) => [...text.matchAll(IMAGE)].map(([, , image = '']) => image)));
  const digests = new Map<string, string>();
  for (const image of images) {
    digests.set(image, await resolveDigest(image));
    process.stderr.write(`${image}@${digests.get(image) ?? ''}\n`);
  }
  const pin = (_: string, before: string, image: string): string => `${before}${image}@${digests.get(image) ?? ''}`;
  for (const [index, name] of FILES.entries()) await writeFile(join(directory, name), (texts[index] ?? '').replace(IMAGE, pin));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
