/**
 * Entry point of all services: `node dist/service.mjs NAME…`. Several names run in one process, each with the variables that
 * FAVE_SERVICE_ENVIRONMENTS, JSON by service name, adds to the environment.
 */
import { readSettings } from '../shared/config/config.ts';
import { runServices, type ServiceEntry } from '../shared/runtime/service/service.ts';
import { runWorker } from '../shared/runtime/worker.ts';
import { removeStageOrphans } from '../shared/runtime/workdir/orphans.ts';
import { graph } from './pipeline.ts';
import { relay } from './relay/relay.ts';
import { tracker } from './tracker/tracker.ts';

const { FAVE_SERVICE_ENVIRONMENTS = '{}', ...common } = process.env;
const environments = JSON.parse(FAVE_SERVICE_ENVIRONMENTS) as Readonly<Record<string, Record<string, string>>>;

await runServices(
  process.argv.slice(2).map((name): ServiceEntry => {
    const env = { ...common, ...environments[name] };
    return {
      name,
      env,
      run: async (service) => {
        if (name === 'relay') return relay(service, graph);
        if (name === 'tracker') return tracker(service, graph);
        const stage = graph.stage(name);
        const left = await removeStageOrphans(service.config.tmpdir, name);
        if (left.length > 0) service.log.warn({ event: 'service:orphans-removed', left }, 'removed the files of a killed worker');
        await runWorker(stage, { ...service, settings: readSettings(stage.settings ?? {}, env) });
      },
    };
  }),
);
