import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { root } from '../../infra/process/paths.ts';

/**
 * Import directions, by folder: an entry may import entries of earlier groups only. Entries of one group, and entries that
 * are not listed, are independent of each other unless the folder has no list.
 */
const LAYERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '.': [
    ['schemas'],
    ['shared'],
    ['services', 'analysis'],
    ['infra'],
    ['loadgen'],
    ['cli'],
    ['scripts'],
    ['examples'],
    ['bench'],
    ['tests'],
  ],
  services: [[], ['pipeline.ts'], ['main.ts']],
  infra: [
    ['process'],
    ['access', 'deployment', 'images'],
    ['servers'],
    ['instance', 'setup'],
    ['observe', 'scaler'],
    ['local'],
    ['compose'],
    ['kubernetes'],
    ['main.ts'],
  ],
  shared: [
    ['core'],
    ['config', 'observability'],
    ['tools', 'store', 'models'],
    ['pipeline'],
    ['bus', 'media'],
    ['requests'],
    ['results', 'runtime'],
  ],
};
const MAX_ENTRIES = 14;

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => /\.(?:tsx?|mjs|js)$/.test(path) && !path.endsWith('.d.mts') && !path.startsWith('tests/fixtures/'));
const known = new Set(files);
const problems: string[] = [];

/** Imports inside the project, type imports and dynamic imports included. */
function importsOf(path: string): string[] {
  return ts
    .preProcessFile(readFileSync(posix.join(root, path), 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => posix.join(posix.dirname(path), fileName))
    .filter((target) => known.has(target));
}

/** Imports between the entries of each folder: folder → entry → imported entry → one example. */
const edges = new Map<string, Map<string, Map<string, string>>>();
for (const file of files) {
  for (const target of importsOf(file)) {
    const [from, to] = [file.split('/'), target.split('/')];
    const depth = from.findIndex((part, index) => part !== to[index]);
    if (depth < 0) continue;
    const folder = from.slice(0, depth).join('/') || '.';
    const [entry = '', imported = ''] = [from[depth], to[depth]];
    const entries = edges.get(folder) ?? new Map<string, Map<string, string>>();
    edges.set(
      folder,
      entries.set(entry, (entries.get(entry) ?? new Map<string, string>()).set(imported, `${file} imports ${target}`)),
    );
  }
}

/** Returns a cycle that can be reached from an entry. A cycle of files is a cycle of entries in the folder that they share. */
function findCycle(
  entries: ReadonlyMap<string, ReadonlyMap<string, string>>,
  path: readonly string[],
  done: Set<string>,
): string[] | undefined {
  const last = path.at(-1) ?? '';
  for (const next of entries.get(last)?.keys() ?? []) {
    if (path.includes(next)) return [...path.slice(path.indexOf(next)), next];
    if (done.has(next)) continue;
    const cycle = findCycle(entries, [...path, next], done);
    if (cycle) return cycle;
  }
  done.add(last);
  return undefined;
}

for (const [folder, entries] of edges) {
  const done = new Set<string>();
  for (const entry of entries.keys()) {
    const cycle = done.has(entry) ? undefined : findCycle(entries, [entry], done);
    if (!cycle) continue;
    const examples = cycle.slice(1).map((to, index) => `    ${entries.get(cycle[index] ?? '')?.get(to) ?? ''}`);
    problems.push([`import cycle in ${folder}: ${cycle.join(' → ')}`, ...examples].join('\n'));
    break;
  }
  const layers = LAYERS[folder];
  if (!layers) continue;
  const rankOf = (entry: string): number =>
    Math.max(
      0,
      layers.findIndex((group) => group.includes(entry)),
    );
  for (const [entry, imports] of entries) {
    for (const [imported, example] of imports) {
      if (rankOf(imported) >= rankOf(entry)) problems.push(`import against the layers of ${folder}: ${example}`);
    }
  }
}

const entriesByFolder = new Map<string, Set<string>>();
for (const file of files) {
  const parts = file.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/');
    entriesByFolder.set(folder, (entriesByFolder.get(folder) ?? new Set()).add(parts[depth] ?? ''));
  }
}
for (const [folder, { size }] of entriesByFolder) {
  if (size > MAX_ENTRIES) problems.push(`${folder} has ${size} entries; group them by theme (at most ${MAX_ENTRIES})`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
