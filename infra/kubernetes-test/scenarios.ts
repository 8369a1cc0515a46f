/** What the cluster has to show: `scenarios.ts MC [SCENARIO…]`, inside the cluster's network namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/errors.ts';
import { root } from '../paths.ts';
import { burst } from './burst.ts';
import { cold } from './cold.ts';
import { figure } from './figure.ts';
import { interrupted, killed } from './lost-pods.ts';
import { install } from './system.ts';
import type { Scenario } from './timeline.ts';

/** In this order: each begins where the one before it left the cluster. */
const scenarios: Readonly<Record<string, Scenario>> = { cold, burst, killed, interrupted };

const [mc = 'mc', ...wanted] = process.argv.slice(2);
const names = wanted.length > 0 ? wanted : Object.keys(scenarios);
const unknown = names.find((name) => !(name in scenarios));
if (unknown !== undefined)
  throw new PermanentError('bad-arguments', `there is no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`);

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const docs = join(root, 'docs', 'kubernetes');
await mkdir(docs, { recursive: true });
const system = await install(graph, 'cold', mc);
say('FAVE is set up in the cluster');
try {
  for (const name of names) {
    say(`… ${name}`);
    const timeline = await scenarios[name]?.(system, graph, say);
    if (!timeline) continue;
    await writeFile(join(docs, `${name}.json`), `${JSON.stringify(timeline, null, 2)}\n`);
    await writeFile(join(docs, `${name}.svg`), await figure(timeline));
    say(`ok ${name}: docs/kubernetes/${name}.json, .svg`);
  }
} finally {
  await system.bus.close();
}
