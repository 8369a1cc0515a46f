/** What the cluster has to show: `scenarios.ts MC [SCENARIO…]`, inside the cluster's network namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/errors.ts';
import { root } from '../paths.ts';
import { burst } from './burst.ts';
import { cold } from './cold.ts';
import { externalStore, installOnExternalStore } from './external-store.ts';
import { figure } from './figure.ts';
import { interrupted, killed } from './lost-pods.ts';
import { monitors } from './monitors.ts';
import { rotated, upgraded } from './renewed.ts';
import { scaleOut, smallServers } from './scale-out.ts';
import { install, uninstall, type System } from './system.ts';
import type { Scenario } from './timeline.ts';
import { traces } from './traces.ts';

interface Plan {
  readonly run: Scenario;
  /** A system of its own. A scenario that has none begins where the one before it left the cluster. */
  readonly install?: () => Promise<System>;
}

const [mc = 'mc', ...wanted] = process.argv.slice(2);
const coldSystem = (): Promise<System> => install(graph, 'cold', mc);

/** In this order. */
const scenarios: Readonly<Record<string, Plan>> = {
  cold: { run: cold, install: coldSystem },
  burst: { run: burst },
  killed: { run: killed },
  interrupted: { run: interrupted },
  monitors: { run: monitors },
  traces: { run: traces },
  upgraded: { run: upgraded },
  rotated: { run: rotated(mc) },
  'external-store': { run: externalStore, install: () => installOnExternalStore(graph, mc) },
  'scale-out': { run: scaleOut, install: () => install(graph, 'scale-out', mc, { adaptation: smallServers }) },
};

const names = Object.keys(scenarios).filter((name) => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.find((name) => !(name in scenarios));
if (unknown !== undefined)
  throw new PermanentError('bad-arguments', `there is no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`);

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const docs = join(root, 'docs', 'kubernetes');
await mkdir(docs, { recursive: true });
let system: System | undefined;
try {
  for (const [name, plan] of names.map((each) => [each, scenarios[each]] as const)) {
    if (!plan) continue;
    if (!system || plan.install) {
      await system?.close();
      await uninstall();
      system = await (plan.install ?? coldSystem)();
      say('FAVE is set up in the cluster');
    }
    say(`… ${name}`);
    const timeline = await plan.run(system, graph, say);
    if (!timeline) continue;
    await writeFile(join(docs, `${name}.json`), `${JSON.stringify(timeline, null, 2)}\n`);
    await writeFile(join(docs, `${name}.svg`), await figure(timeline));
    say(`ok ${name}: docs/kubernetes/${name}.json, .svg`);
  }
} finally {
  await system?.close();
}
