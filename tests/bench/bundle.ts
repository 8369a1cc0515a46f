import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { root } from '../../infra/paths.ts';

/** As in `infra/build.mjs`: tfjs' ES modules bundle well, its CommonJS main files do not. */
const tfjsModules: Plugin = {
  name: 'tfjs-modules',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@tensorflow\/tfjs-(core|converter|backend-wasm|backend-cpu)$/ }, ({ path, resolveDir }) =>
      resolve(`${path}/dist/index.js`, { resolveDir, kind: 'import-statement' }),
    );
  },
};

/** Bundles a program of `peers/` as the services are bundled, so that it starts as fast. @returns The bundle's path. */
export async function bundled(program: string): Promise<string> {
  // Below node_modules, where the packages that stay outside are found from.
  const outdir = join(root, 'node_modules', '.cache', 'fave-bench');
  await build({
    entryPoints: [join(import.meta.dirname, 'peers', `${program}.ts`)],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['@tensorflow/tfjs-node', '@vladmandic/human'],
    plugins: [tfjsModules],
    banner: {
      js: "import { createRequire as bench_require } from 'node:module'; const require = bench_require(import.meta.url);",
    },
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    logLevel: 'warning',
  });
  return join(outdir, `${program}.mjs`);
}
