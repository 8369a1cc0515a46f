/** `run-scenarios.ts MC [SCENARIO …]`: runs scenarios and records them in docs/kubernetes/, inside the cluster's network namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph } from '../../services/pipeline.ts';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { NAMESPACE } from '../../infra/kubernetes/names.ts';
import { root } from '../../infra/process/paths.ts';
import { burst } from './scenarios/burst.ts';
import { kubectl } from './cluster/kubectl.ts';
import { cold } from './scenarios/cold.ts';
import { externalStore, installOnExternalStore } from './scenarios/external-store.ts';
import { figure } from './scenarios/figure.ts';
import { interrupted, killed } from './scenarios/pod-loss.ts';
import { monitors } from './scenarios/monitors.ts';
import { rotated, upgraded } from './scenarios/rolling-update.ts';
import { scaleOut, smallServers } from './scenarios/scale-out.ts';
import { install, uninstall, type System } from './cluster/system.ts';
import type { Scenario } from './scenarios/scenario-report.ts';
import { traces } from './scenarios/traces.ts';

const [mc = 'mc', ...wanted] = process.argv.slice(2);

/** Installations that scenarios need. */
const systems = {
  cold: () => install(graph, 'cold', mc),
  'external-store': () => installOnExternalStore(graph, mc),
  'scale-out': () => install(graph, 'scale-out', mc, { changes: smallServers }),
} satisfies Readonly<Record<string, () => Promise<System>>>;

interface Plan {
  readonly run: Scenario;
  /** Its installation. Consecutive scenarios with the same one share it. */
  readonly on: keyof typeof systems;
}

/** All scenarios, in the order of execution. */
const scenarios: Readonly<Record<string, Plan>> = {
  cold: { run: cold, on: 'cold' },
  burst: { run: burst, on: 'cold' },
  killed: { run: killed, on: 'cold' },
  interrupted: { run: interrupted, on: 'cold' },
  monitors: { run: monitors, on: 'cold' },
  traces: { run: traces, on: 'cold' },
  upgraded: { run: upgraded('warm'), on: 'cold' },
  // Last of its installation: it revokes the access of the scenarios.
  rotated: { run: rotated('warm', mc), on: 'cold' },
  'external-store': { run: externalStore, on: 'external-store' },
  'scale-out': { run: scaleOut, on: 'scale-out' },
  'scale-out-upgraded': { run: upgraded('scale-out', smallServers), on: 'scale-out' },
  'scale-out-rotated': { run: rotated('scale-out', mc, smallServers), on: 'scale-out' },
};

const names = Object.keys(scenarios).filter((name) => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.find((name) => !(name in scenarios));
if (unknown !== undefined)
  throw new PermanentError(
    'invalid-arguments',
    `there is no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`,
  );

const report = (line: string): void => void process.stderr.write(`${line}\n`);
const docs = join(root, 'docs', 'kubernetes');
await mkdir(docs, { recursive: true });
let system: System | undefined;
let installed: Plan['on'] | undefined;
try {
  for (const [name, plan] of names.map((each) => [each, scenarios[each]] as const)) {
    if (!plan) continue;
    if (!system || installed !== plan.on) {
      await system?.close();
      await uninstall();
      system = await systems[plan.on]();
      installed = plan.on;
      report('FAVE is set up in the cluster');
    }
    report(`… ${name}`);
    const timeline = await plan.run(system, graph, report);
    if (!timeline) continue;
    await writeFile(join(docs, `${name}.json`), `${JSON.stringify(timeline, null, 2)}\n`);
    await writeFile(join(docs, `${name}.svg`), await figure(timeline));
    report(`ok ${name}: docs/kubernetes/${name}.json, .svg`);
  }
} catch (error) {
  // The cluster is removed next.
  report(await kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'wide']).catch(messageOf));
  throw error;
} finally {
  await system?.close();
}
