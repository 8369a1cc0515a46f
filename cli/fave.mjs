#!/usr/bin/env node
// The `fave` command: the bundle of cli/main.ts, which `npm run build` makes.
import { existsSync } from 'node:fs';

const bundle = new URL('../dist/fave.mjs', import.meta.url);
if (existsSync(bundle)) await import(bundle.href);
else {
  console.error('fave: not built yet: run `npm run build` in the project, or `npm start`, which builds it too');
  process.exitCode = 1;
}
