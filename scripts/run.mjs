// `run.mjs NAME [ARGUMENT …]`: runs an npm script. It first installs dependencies and builds bundles, where they are missing or old.
// Plain JavaScript without dependencies, because it runs before they are installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

const vitest = ['node_modules/vitest/vitest.mjs', 'run'];

/** Module and first arguments of each script. A list of commands runs one after the other. */
const scripts = {
  start: ['dist/infra.mjs', 'start'],
  demo: ['dist/fave.mjs', 'demo'],
  load: ['dist/fave.mjs', 'load'],
  study: ['dist/study.mjs'],
  'study:k8s': ['tests/kubernetes-cluster/study.ts'],
  test: vitest,
  'test:unit': async () => [...vitest, ...(await import('./test-files.ts')).testFiles({ servers: false })],
  'test:integration': async () => [...vitest, ...(await import('./test-files.ts')).testFiles({ servers: true })],
  'test:compose': ['tests/compose/main.ts'],
  'test:images': ['tests/compose/reproducible.ts'],
  'test:k8s': ['tests/kubernetes-cluster/main.ts'],
  fuzz: ['tests/security/fuzz/main.ts'],
  chaos: ['tests/resilience/chaos/main.ts'],
  verify: ['scripts/verify.ts'],
  structure: ['scripts/checks/structure.ts'],
  prose: ['scripts/checks/prose.ts'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--write', '--log-level', 'warn', '.'],
  typecheck: ['node_modules/typescript/bin/tsc'],
  lint: ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0'],
  bench: ['bench/main.ts'],
  analyse: ['analysis/main.ts'],
  observe: ['infra/observe/main.ts'],
  k8s: ['infra/kubernetes/main.ts'],
  'images:pin': ['infra/images/pin.ts'],
  'new-stage': ['scripts/new-stage.ts'],
};

/** Programs of `npm run generate`, in order. */
const generators = [
  ['schemas/generate.ts'],
  ['cli/generate-docs.ts'],
  ['infra/compose/generate.ts'],
  ['infra/kubernetes/main.ts', 'generate'],
  ['infra/observe/generate.ts'],
];

/** Ends with a sentence for the user. */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function run(command, args) {
  // stdout belongs to the script.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a step and reports its duration. */
function step(doing, done, work) {
  process.stderr.write(`${doing} …\n`);
  const begun = Date.now();
  work();
  process.stderr.write(`${done} in ${((Date.now() - begun) / 1000).toFixed(1)} s\n`);
}

/** Returns the time of the newest change below a path. Directories count, because a deleted file is a change too. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Returns the packages of a lock file by their path; none if there is no such file. */
function packagesOf(lock) {
  return existsSync(lock) ? JSON.parse(readFileSync(lock, 'utf8')).packages : {};
}

/** Returns whether node_modules holds the packages of package-lock.json. Optional packages may be missing. */
function isInstalled() {
  const installed = packagesOf(at('node_modules', '.package-lock.json'));
  return Object.entries(packagesOf(at('package-lock.json'))).every(
    ([path, { version, optional, devOptional, link }]) =>
      path === '' || optional || devOptional || link || installed[path]?.version === version,
  );
}

function ensureDependencies() {
  if (isInstalled()) return;
  // The install script of ONNX Runtime would download a library for graphics cards. npm 11 skips it (allowScripts in package.json).
  process.env.ONNXRUNTIME_NODE_INSTALL = 'skip';
  step('installing dependencies', 'installed dependencies', () => {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']);
  });
}

/** Deletes ONNX Runtime's libraries for other platforms, 240 of 288 MB. The package has no variants by platform. */
function pruneOnnxRuntime() {
  const dir = at('node_modules', 'onnxruntime-node', 'bin', 'napi-v6');
  const isOther = (path) => !join(process.platform, process.arch).startsWith(path);
  for (const platform of readdirSync(dir)) {
    for (const arch of readdirSync(join(dir, platform)))
      if (isOther(join(platform, arch))) rmSync(join(dir, platform, arch), { recursive: true, force: true });
    if (isOther(platform)) rmSync(join(dir, platform), { recursive: true, force: true });
  }
}

function ensureBundles() {
  const built = newest(at('dist', 'service.mjs'));
  const sources = ['schemas', 'shared', 'services', 'infra', 'loadgen', 'cli', 'scripts', 'node_modules/.package-lock.json'];
  if (existsSync(at('dist', 'fave.mjs')) && built >= Math.max(...sources.map((name) => newest(at(name))))) return;
  step('building programs', 'built programs', () => {
    run(process.execPath, ['scripts/build.ts']);
  });
}

const [name = '', ...args] = process.argv.slice(2);
process.chdir(root);
ensureDependencies();
pruneOnnxRuntime();
ensureBundles();
if (name === 'generate') {
  for (const generator of generators) run(process.execPath, [...generator, ...args]);
} else if (name !== 'build') {
  const script = scripts[name];
  if (!script) fail(`there is no script ${name}; there are ${['build', 'generate', ...Object.keys(scripts)].sort().join(', ')}`);
  const [module, ...first] = typeof script === 'function' ? await script() : script;
  // In this process: a signal must reach the work, not a wrapper.
  process.argv = [process.argv[0], at(module), ...first, ...args];
  await import(pathToFileURL(at(module)).href);
}
