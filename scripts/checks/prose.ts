import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../infra/process/paths.ts';
import { ensureVale } from './vale.ts';
import { findProseUnits, type ProseUnit } from './prose-units.ts';

/** Highest share of flagged passages, per cent: the share that nats.js, graphile/worker and execa reach under these rules. */
const BAR = 8;
const CHECKED = /\.(?:md|tsx?|mjs|js|ya?ml|schema\.json)$/;
const GENERATED =
  /^(?:analysis\/out|experiments|schemas\/generated|tests\/recorded|tests\/fixtures)\/|schemas\.json$|package-lock/;

interface Finding {
  readonly path: string;
  readonly unit: ProseUnit;
  readonly message: string;
}

/** Applies the rules of `.vale.ini` to the passages of each file. */
async function check(unitsByPath: ReadonlyMap<string, readonly ProseUnit[]>): Promise<Finding[]> {
  const vale = await ensureVale();
  const dir = mkdtempSync(join(tmpdir(), 'fave-prose-'));
  // One paragraph per line, so that the line of an alert identifies the passage.
  const rowsByPath = new Map<string, { unit: ProseUnit; text: string }[]>();
  try {
    for (const [path, units] of unitsByPath) {
      const rows = units.flatMap((unit) => unit.paragraphs.map((text) => ({ unit, text })));
      rowsByPath.set(path, rows);
      const file = join(dir, `${path}.md`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, rows.map(({ text }) => `${text.replace(/^(?=[#>|+-]|\d+\.)/, '\\')}\n\n`).join(''));
    }
    const args = ['--config', join(root, '.vale.ini'), '--no-exit', '--output', 'JSON', '.'];
    const { stdout } = await promisify(execFile)(vale, args, { cwd: dir, maxBuffer: 256 * 1024 ** 2 });
    const alertsByFile = JSON.parse(stdout) as Record<string, { Line: number; Message: string }[]>;
    return Object.entries(alertsByFile).flatMap(([file, alerts]) => {
      const path = file.replace(/\.md$/, '');
      return alerts.flatMap(({ Line, Message: message }) => {
        const unit = rowsByPath.get(path)?.[(Line - 1) / 2]?.unit;
        return unit ? [{ path, unit, message }] : [];
      });
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function percent(part: number, whole: number): string {
  return `${((part / Math.max(1, whole)) * 100).toFixed(1)} %`;
}

/** The first two folders of a path; files in the root are `.`. */
function folderOf(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 2).join('/') || '.';
}

const prefixes = process.argv.slice(2).map((prefix) => prefix.replace(/\/$/, ''));
const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const paths = listed
  .split('\0')
  .filter((path) => CHECKED.test(path) && !GENERATED.test(path) && existsSync(join(root, path)))
  .filter((path) => prefixes.length === 0 || prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)));
const unitsByPath = new Map(paths.map((path) => [path, findProseUnits(path, readFileSync(join(root, path), 'utf8'))]));
const findings = await check(unitsByPath);
const flagged = new Set(findings.map(({ unit }) => unit));

const rows = new Map<string, { passages: number; flagged: number }>();
for (const [path, units] of unitsByPath) {
  for (const folder of [folderOf(path), 'total']) {
    const row = rows.get(folder) ?? { passages: 0, flagged: 0 };
    const added = units.filter((unit) => flagged.has(unit)).length;
    rows.set(folder, { passages: row.passages + units.length, flagged: row.flagged + added });
  }
}
if (prefixes.length > 0) for (const { path, unit, message } of findings) console.log(`${path}:${unit.line}  ${message}`);
for (const [folder, row] of [...rows].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`${percent(row.flagged, row.passages).padStart(7)}  ${row.flagged} of ${row.passages}  ${folder}`);
}
const total = rows.get('total') ?? { passages: 0, flagged: 0 };
if (total.flagged * 100 >= total.passages * BAR) {
  console.error(`prose: ${percent(total.flagged, total.passages)} of the passages are flagged; at most ${BAR} % are allowed`);
  process.exitCode = 1;
}
