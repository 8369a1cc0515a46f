import { regimeSettings } from '../../../infra/deployment/regimes.ts';
import { applyOverlay } from '../cluster/kubectl.ts';
import { medium } from '../cluster/media.ts';
import { until } from '../cluster/system.ts';
import { recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** Uploads at once. */
const REQUESTS = 6;

/** Under a burst the stages that work clip by clip get as many pods as the regime allows, and all of it is completed. */
export const burst: Scenario = async (system, graph, say) => {
  const overlay = 'burst-ready';
  const { stages } = regimeSettings(overlay, graph);
  await applyOverlay(overlay);
  return recordScenario(system, graph, async ({ recording, events }) => {
    await until('the pods that always stay', 300, () =>
      Promise.resolve(
        graph.stages.every(({ name }) => (recording.current(name)?.ready ?? 0) >= (stages[name]?.min ?? 0)) || undefined,
      ),
    );
    const begun = recording.now();
    const ids = Array.from({ length: REQUESTS }, (_, index) => `burst-${index}`);
    // Without memo, or five of six would be copies of the first.
    await Promise.all(ids.map((id) => system.submit(id, medium('walk-and-talk.mp4'), { memo: 'false' })));
    await events.completed(ids, 900);
    const completed = recording.now();
    say(`${REQUESTS} completed after ${(completed - begun).toFixed(1)} s`);
    const about = `${REQUESTS} videos of 54 s at once`;
    const timeline = timelineOf(graph, recording, events, { about, overlay, requests: REQUESTS, begun, completed });
    const full = graph.stages.filter(({ name }) => timeline.stages[name]?.most_desired === stages[name]?.max);
    say(`at their maximum: ${full.map(({ name }) => name).join(', ')}`);
    for (const name of ['stage-ffmpeg-2', 'stage-deepspeech'])
      if (!full.some((stage) => stage.name === name)) throw new Error(`${name} did not get its maximum of pods`);
    return timeline;
  });
};
