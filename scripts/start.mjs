// The one entry of a clean clone: whatever is missing is installed and built, then the work is handed over.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

/** Ends with a sentence for a person. */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function run(command, args) {
  // Everything goes to stderr, so that stdout belongs to what was asked for.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (error) fail(`${command} cannot be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function assertNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node.js ${process.versions.node} is too old: FAVE needs 20.19 or later (https://nodejs.org)`);
}

/** The newest change of a file below a directory; directories count, so that a deleted file is a change. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Packages of a lock file by their place; none where there is no such file. */
function packagesOf(lock) {
  return existsSync(lock) ? JSON.parse(readFileSync(lock, 'utf8')).packages : {};
}

/** Whether node_modules holds what package-lock.json names; what is optional may be missing on this machine. */
function isInstalled() {
  const installed = packagesOf(at('node_modules', '.package-lock.json'));
  return Object.entries(packagesOf(at('package-lock.json'))).every(
    ([place, { version, optional, devOptional, link }]) =>
      place === '' || optional || devOptional || link || installed[place]?.version === version,
  );
}

function ensureDependencies() {
  if (isInstalled()) return;
  process.stderr.write('installing dependencies …\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'warn']);
}

function ensureBundles() {
  const built = newest(at('dist', 'service.mjs'));
  const sources = ['schemas', 'shared', 'services', 'infra', 'loadgen', 'cli', 'scripts', 'node_modules/.package-lock.json'].map(
    (name) => newest(at(name)),
  );
  if (existsSync(at('dist', 'infra.mjs')) && built >= Math.max(...sources)) return;
  run(process.execPath, ['scripts/build.mjs']);
}

assertNode();
const given = process.argv.slice(2);
const command = given[0] === '--then' ? given[1] : 'start';
const args = given[0] === '--then' ? given.slice(2) : given;
ensureDependencies();
ensureBundles();

const handOver = {
  start: ['dist/infra.mjs', 'start'],
  verify: ['dist/verify.mjs'],
  demo: ['dist/fave.mjs', 'demo'],
  study: ['dist/study.mjs'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
}[command];
if (!handOver) fail(`there is no ${command}`);
const [script, ...leading] = handOver;
// In this very process: a signal meant for the work must not stop at a wrapper.
process.argv = [process.argv[0], at(script), ...leading, ...args];
process.chdir(root);
await import(pathToFileURL(at(script)).href);
