import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { root } from '../../paths.ts';
import type { Progress } from '../../servers/install.ts';
import { run, succeeds } from '../run.ts';
import { ensureGoProgram, goPrograms } from './programs.ts';

type Environment = Readonly<Record<string, string>>;

export interface ObserveImages {
  /** What leads Compose to the stand-ins; empty where the registry answers. */
  readonly env: Environment;
  /** Services whose image is neither to be had nor to be made here. */
  readonly missing: readonly string[];
}

/** Others' images that compose.yaml runs. */
interface Upstream {
  /** That names another one. */
  readonly variable: string;
  readonly service: string;
  readonly image: string;
  readonly version: string;
}

/** Others' images that compose.yaml runs, as it names them. */
export function upstreamImages(composeFile: string): Upstream[] {
  const pattern = /^ {4}image: \$\{(FAVE_([A-Z]+)_IMAGE):-([\w./-]+):v?([\d.]+)\}$/gm;
  return [...composeFile.matchAll(pattern)].map(([line, variable = '', name = '', , version = '']) => ({
    variable,
    service: name.toLowerCase(),
    image: /:-(.*)\}/.exec(line)?.[1] ?? '',
    version: `v${version}`,
  }));
}

/**
 * The images of others that `--profile observe` runs: those that a registry gives, and where none answers, stand-ins: Prometheus of
 * Debian, Loki and Alloy from their source. Of Grafana, whose pages no package brings, there is none.
 * @param env What leads to the daemon, and with FAVE_DEBIAN_IMAGE to what stand-ins are built from.
 */
export async function observeImages(env: Environment, progress: Progress): Promise<ObserveImages> {
  const all = upstreamImages(await readFile(join(root, 'compose.yaml'), 'utf8'));
  const pulled = await Promise.all(all.map(({ image }) => succeeds('docker', ['pull', '-q', image], { env })));
  const made: Record<string, string> = {};
  const missing: string[] = [];
  for (const upstream of all.filter((_, n) => !pulled[n])) {
    if (upstream.service === 'grafana') missing.push(upstream.service);
    else made[upstream.variable] = await standIn(upstream, env, progress);
  }
  return { env: made, missing };
}

/** @returns The stand-in's name. */
async function standIn({ service, version }: Upstream, env: Environment, progress: Progress): Promise<string> {
  const image = `fave-stand-in/${service}:${version}`;
  if (await succeeds('docker', ['image', 'inspect', image], { env })) return image;
  const program = goPrograms.find(({ name }) => name === service);
  const empty = await mkdtemp(join(tmpdir(), 'fave-image-'));
  try {
    const context = program ? await ensureGoProgram(program, version, progress) : empty;
    const base = env['FAVE_DEBIAN_IMAGE'];
    const args = base === undefined ? [] : ['--build-arg', `DEBIAN_IMAGE=${base}`];
    progress(`making ${image} …`);
    const file = join(root, 'infra', 'compose', 'observe', 'Dockerfile');
    await run('docker', ['build', '--quiet', ...args, '--file', file, '--target', service, '--tag', image, context], { env });
    return image;
  } finally {
    await rm(empty, { recursive: true });
  }
}
