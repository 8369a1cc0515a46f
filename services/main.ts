/** The one entry of every service: `node dist/service.mjs relay`, `… tracker`, `… stage-ffmpeg-0`. */
import { removeStageOrphans } from '../shared/runtime/workdir/orphans.ts';
import { runService } from '../shared/runtime/service/service.ts';
import { readSettings } from '../shared/config/config.ts';
import { runWorker } from '../shared/runtime/worker.ts';
import { graph } from './pipeline.ts';
import { relay } from './relay/relay.ts';
import { tracker } from './tracker/tracker.ts';

const name = process.argv[2] ?? '';

await runService(name, async (service) => {
  if (name === 'relay') return relay(service, graph);
  if (name === 'tracker') return tracker(service, graph);
  const stage = graph.stage(name);
  const left = await removeStageOrphans(service.config.tmpdir, name);
  if (left.length > 0) service.log.warn({ event: 'service:orphans-removed', left }, 'what a killed predecessor left was removed');
  await runWorker(stage, { ...service, settings: readSettings(stage.settings ?? {}, process.env) });
});
