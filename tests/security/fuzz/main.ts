/** `npm run fuzz -- --media 2000 --events 10000 --seed 7`: runs the fuzz tests with the given numbers of cases; a missing number means none. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { media: { type: 'string' }, events: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const { media, events, seed } = values;
if (media === undefined && events === undefined) {
  console.error('Say how much: npm run fuzz -- --media 2000 --events 10000 [--seed 1]');
  process.exit(2);
}

const sorts = { media, events };
const files = Object.entries(sorts).flatMap(([sort, count]) => (count === undefined ? [] : [`tests/security/fuzz/${sort}`]));
// The dot reporter, because thousands of lines would hide failures. The entry file of vitest starts without a shell.
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--reporter=dot', ...files], {
  cwd: join(import.meta.dirname, '../../..'),
  stdio: 'inherit',
  env: { ...process.env, FAVE_FUZZ_MEDIA: media ?? '', FAVE_FUZZ_EVENTS: events ?? '', FAVE_FUZZ_SEED: seed },
});
process.exitCode = status ?? 1;
