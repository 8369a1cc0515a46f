import { cp, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../../infra/process/paths.ts';
import type { ProgressReporter } from '../../../../infra/process/progress.ts';
import { run, succeeds } from '../run.ts';
import { ensureLokiProgram, type LokiProgram } from './programs.ts';

type Environment = Readonly<Record<string, string>>;

export interface ObserveImages {
  /** Variables that select the replacements; empty if the registry responds. */
  readonly env: Environment;
  /** Services without an image and without a replacement. */
  readonly missing: readonly string[];
}

/** An image of others that compose.yaml runs. */
export interface Upstream {
  /** Variable that names another one. */
  readonly variable: string;
  readonly service: string;
  readonly image: string;
  /** As `v3.5.0`. */
  readonly version: string;
}

/** Replacements of images, as targets of the Dockerfile. No package contains the pages of Grafana. */
const standInOf: Readonly<Record<string, 'prometheus' | LokiProgram>> = {
  prometheus: 'prometheus',
  loki: 'loki',
  // A module of Alloy has no separate release. Its log reader is derived from Promtail.
  alloy: 'promtail',
};

/** Others' images as compose.yaml names them. */
export function upstreamImages(composeFile: string): Upstream[] {
  const pattern = /^ {4}image: \$\{(FAVE_([A-Z]+)_IMAGE):-([\w./-]+:v?([\d.]+))(?:@sha256:[0-9a-f]+)?\}$/gm;
  return [...composeFile.matchAll(pattern)].map(([, variable = '', name = '', image = '', version = '']) => ({
    variable,
    service: name.toLowerCase(),
    image,
    version: `v${version}`,
  }));
}

/**
 * Returns the third-party images of `--profile observe`: those of the environment, else those of a registry. Without a registry
 * they are replaced by the Prometheus of Debian, Loki built from source, and Promtail for Alloy.
 */
export async function observeImages(env: Environment, progress: ProgressReporter): Promise<ObserveImages> {
  const all = upstreamImages(await readFile(join(root, 'compose.yaml'), 'utf8'));
  const wanted = all.filter(({ variable }) => !process.env[variable]);
  const pulled = await Promise.all(wanted.map(({ image }) => succeeds('docker', ['pull', '-q', image], { env })));
  const lokiVersion = all.find(({ service }) => service === 'loki')?.version ?? '';
  const made: Record<string, string> = {};
  const missing: string[] = [];
  for (const { variable, service } of wanted.filter((_, n) => !pulled[n])) {
    const target = standInOf[service];
    if (target === undefined) missing.push(service);
    else made[variable] = await standIn(target, lokiVersion, env, progress);
  }
  return { env: made, missing };
}

/** @returns The stand-in's name. */
async function standIn(
  target: 'prometheus' | LokiProgram,
  lokiVersion: string,
  env: Environment,
  progress: ProgressReporter,
): Promise<string> {
  const image = target === 'prometheus' ? `fave-stand-in/${target}` : `fave-stand-in/${target}:${lokiVersion}`;
  if (await succeeds('docker', ['image', 'inspect', image], { env })) return image;
  const context = await mkdtemp(join(tmpdir(), 'fave-image-'));
  try {
    await cp(import.meta.dirname, context, { recursive: true });
    if (target !== 'prometheus') await copyFile(await ensureLokiProgram(target, lokiVersion, progress), join(context, 'program'));
    const base = env['FAVE_DEBIAN_IMAGE'];
    const args = base === undefined ? [] : ['--build-arg', `DEBIAN_IMAGE=${base}`];
    progress(`making ${image} …`);
    await run('docker', ['build', '--quiet', ...args, '--target', target, '--tag', image, context], { env });
    return image;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
