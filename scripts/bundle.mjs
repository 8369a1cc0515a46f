import { build } from 'esbuild';

/** tfjs' ES modules bundle well and halve the detector's start; its CommonJS main files do not bundle at all. */
const tfjsModules = {
  name: 'tfjs-modules',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@tensorflow\/tfjs-(core|converter|backend-wasm|backend-cpu)$/ }, ({ path, resolveDir }) =>
      resolve(`${path}/dist/index.js`, { resolveDir, kind: 'import-statement' }),
    );
  },
};

/** Bundles programs, each to `{name}.mjs`: a bundle starts in half the time of the sources. */
export async function bundle(entryPoints, outdir) {
  await build({
    entryPoints,
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: new URL('..', import.meta.url).pathname,
    bundle: true,
    // What a stage imports only when it needs it (a model's runtime) stays a file of its own.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    // Native or self-locating packages; they are found in node_modules when they are needed.
    external: ['@tensorflow/tfjs-node', '@vladmandic/human', 'whisper-node', 'esbuild'],
    plugins: [tfjsModules],
    // Bundled CommonJS packages call require() for Node's own modules, and ask where they lie (fluent-ffmpeg).
    banner: {
      js: "import { createRequire as fave_createRequire } from 'node:module'; const require = fave_createRequire(import.meta.url);",
    },
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    logLevel: 'warning',
  });
}
