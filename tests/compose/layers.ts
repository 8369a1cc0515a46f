import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../support/docker/run.ts';

type Environment = Readonly<Record<string, string>>;

/** Maximum number of differences per layer in the output. */
const SHOWN = 8;

/** Returns the digests of the layers of an image, lowest first. */
export async function layersOf(image: string, env: Environment): Promise<string[]> {
  return JSON.parse(await run('docker', ['image', 'inspect', '--format', '{{json .RootFS.Layers}}', image], { env })) as string[];
}

/**
 * Compares two images. For each different layer it returns the step of the Dockerfile and the first different entries.
 * @param scratch Directory for the files of the layers. @returns Lines; none if all layers are equal.
 */
export async function differences(first: string, second: string, scratch: string, env: Environment): Promise<string[]> {
  const [digests, others] = [await layersOf(first, env), await layersOf(second, env)];
  if (digests.length !== others.length) return [`  ${digests.length} layers and ${others.length}`];
  const unequal = digests.flatMap((digest, index) => (digest === others[index] ? [] : [index]));
  if (unequal.length === 0) return [];
  const [saved, other] = [await save(first, join(scratch, 'first'), env), await save(second, join(scratch, 'second'), env)];
  const lines: string[] = [];
  for (const index of unequal) {
    lines.push(`  layer ${index + 1} of ${digests.length}: ${saved[index]?.step ?? ''}`);
    lines.push(...(await unequalEntries(saved[index]?.path ?? '', other[index]?.path ?? '')));
  }
  return lines;
}

interface Layer {
  /** Path of its tar archive. */
  readonly path: string;
  /** The step of the Dockerfile that made it. */
  readonly step: string;
}

async function save(image: string, dir: string, env: Environment): Promise<Layer[]> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await run('sh', ['-c', 'docker save "$0" | tar -x -C "$1"', image, dir], { env });
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dir, name), 'utf8')) as unknown;
  const [manifest] = (await read('manifest.json')) as [{ readonly Config: string; readonly Layers: string[] }];
  const { history } = (await read(manifest.Config)) as { history: { created_by?: string; empty_layer?: boolean }[] };
  const steps = history.filter((step) => step.empty_layer !== true).map(({ created_by = '' }) => created_by.slice(0, 100));
  return manifest.Layers.map((name, index) => ({ path: join(dir, name), step: steps[index] ?? '' }));
}

async function unequalEntries(first: string, second: string): Promise<string[]> {
  const [mine, theirs] = [await entries(first), await entries(second)];
  const [inFirst, inSecond] = [new Set(mine), new Set(theirs)];
  const lines = [
    ...mine.filter((entry) => !inSecond.has(entry)).map((entry) => `    - ${entry}`),
    ...theirs.filter((entry) => !inFirst.has(entry)).map((entry) => `    + ${entry}`),
  ].sort((a, b) => (a.slice(6) < b.slice(6) ? -1 : 1));
  if (lines.length === 0) return ['    the same entries in another order'];
  return lines.length > SHOWN ? [...lines.slice(0, SHOWN), `    … ${lines.length} in all`] : lines;
}

/** Returns one line per entry with mode, owner, size and time, and one with the digest of the content. */
async function entries(layer: string): Promise<string[]> {
  const listed = await run('tar', ['--list', '--verbose', '--numeric-owner', '--full-time', '--file', layer]);
  const digests = await run('tar', [
    '--extract',
    '--file',
    layer,
    '--to-command',
    'echo "content $(sha256sum | cut -c1-12) $TAR_FILENAME"',
  ]);
  return [...listed.split('\n'), ...digests.split('\n')].filter((line) => line !== '');
}
