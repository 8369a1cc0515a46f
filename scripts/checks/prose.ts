import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../infra/process/paths.ts';
import { ensureVale } from './vale.ts';
import { findProseUnits, type ProseUnit } from './prose-units.ts';

/** Highest share of flagged passages, per cent: the share that nats.js, graphile/worker and execa reach under these rules. */
const BAR = 8;
const CHECKED = /\.(?:md|tsx?|mjs|js|yaml|schema\.json)$/;
const GENERATED =
  /^(?:analysis\/out|experiments|schemas\/generated|tests\/recorded|tests\/fixtures)\/|schemas\.json$|package-lock/;

interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Applies the rules to each file's passages. Returns findings per passage. */
async function check(paths: readonly string[]): Promise<{ units: Map<string, ProseUnit[]>; findings: Finding[] }> {
  const vale = await ensureVale();
  const dir = mkdtempSync(join(tmpdir(), 'fave-prose-'));
  const units = new Map<string, ProseUnit[]>();
  const linesByFile = new Map<string, number[]>();
  try {
    for (const path of paths) {
      const found = findProseUnits(path, readFileSync(join(root, path), 'utf8'));
      if (found.length === 0) continue;
      units.set(path, found);
      const file = join(dir, `${path}.md`);
      mkdirSync(dirname(file), { recursive: true });
      // One paragraph per passage and line, so that a line of the result identifies the passage.
      const lines = found.flatMap(({ line, paragraphs }) =>
        paragraphs.map((text) => ({ line, text: text.replace(/^(?=[#>|+-]|\d+\.)/, '\\') })),
      );
      writeFileSync(file, lines.map(({ text }) => `${text}\n\n`).join(''));
      linesByFile.set(
        path,
        lines.map(({ line }) => line),
      );
    }
    const { stdout } = await promisify(execFile)(
      vale,
      ['--config', join(root, '.vale.ini'), '--no-exit', '--output', 'JSON', '.'],
      {
        cwd: dir,
        maxBuffer: 256 * 1024 ** 2,
      },
    );
    const alerts = JSON.parse(stdout) as Record<string, { Line: number; Message: string; Check: string }[]>;
    const findings = Object.entries(alerts).flatMap(([file, list]) => {
      const path = file.replace(/\.md$/, '');
      return list.map(({ Line, Message }) => ({ path, line: linesByFile.get(path)?.[(Line - 1) / 2] ?? 0, message: Message }));
    });
    return { units, findings };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function percent(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}

/** The first two folders of a path; files in the root are `.`. */
function folderOf(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 2).join('/') || '.';
}

const prefixes = process.argv.slice(2).map((prefix) => prefix.replace(/\/$/, ''));
const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const paths = tracked
  .split('\0')
  .filter((path) => CHECKED.test(path) && !GENERATED.test(path))
  .filter((path) => prefixes.length === 0 || prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)));
const { units, findings } = await check(paths);
const flaggedByPath = new Map<string, Set<number>>();
for (const { path, line } of findings) flaggedByPath.set(path, (flaggedByPath.get(path) ?? new Set()).add(line));
const rows = new Map<string, { passages: number; flagged: number }>();
for (const [path, found] of units) {
  for (const folder of new Set([folderOf(path), 'total'])) {
    const row = rows.get(folder) ?? { passages: 0, flagged: 0 };
    rows.set(folder, {
      passages: row.passages + found.length,
      flagged: row.flagged + found.filter(({ line }) => flaggedByPath.get(path)?.has(line)).length,
    });
  }
}
if (prefixes.length > 0) for (const { path, line, message } of findings) console.log(`${path}:${line}  ${message}`);
for (const [folder, { passages, flagged }] of [...rows].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(
    `${percent(flagged, passages).padStart(7)}  ${String(flagged).padStart(5)} of ${String(passages).padStart(5)}  ${folder}`,
  );
}
const total = rows.get('total') ?? { passages: 0, flagged: 0 };
if (total.flagged * 100 >= total.passages * BAR) {
  console.error(`prose: ${percent(total.flagged, total.passages)} of the passages are flagged; at most ${BAR} % are allowed`);
  process.exitCode = 1;
}
