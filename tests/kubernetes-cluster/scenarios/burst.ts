import { regimeSettings } from '../../../infra/deployment/regimes.ts';
import { applyOverlay } from '../cluster/kubectl.ts';
import { findTestVideo } from '../cluster/media.ts';
import { waitUntil } from '../cluster/system.ts';
import { recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** Number of simultaneous uploads. */
const REQUESTS = 6;

/** Checks that a burst scales the stages that process clips to their maximum, and that all requests complete. */
export const burst: Scenario = async (system, graph, report) => {
  const overlay = 'burst-ready';
  const { stages } = regimeSettings(overlay, graph);
  await applyOverlay(overlay);
  return recordScenario(system, graph, async ({ recording, events }) => {
    await waitUntil('the minimum replicas of every stage are ready', 300, () =>
      Promise.resolve(
        graph.stages.every(({ name }) => (recording.current(name)?.ready ?? 0) >= (stages[name]?.min ?? 0)) || undefined,
      ),
    );
    const begun = recording.now();
    const ids = Array.from({ length: REQUESTS }, (_, index) => `burst-${index}`);
    // With the memo, five of six requests would reuse the results of the first.
    await Promise.all(ids.map((id) => system.submit(id, findTestVideo('walk-and-talk.mp4'), { memo: 'false' })));
    await events.completed(ids, 900);
    const completed = recording.now();
    report(`${REQUESTS} completed after ${(completed - begun).toFixed(1)} s`);
    const about = `${REQUESTS} videos of 54 s at once`;
    const timeline = timelineOf(graph, recording, events, { about, overlay, requests: REQUESTS, begun, completed });
    const full = graph.stages.filter(({ name }) => timeline.stages[name]?.most_desired === stages[name]?.max);
    report(`at their maximum: ${full.map(({ name }) => name).join(', ')}`);
    for (const name of ['stage-ffmpeg-3', 'stage-deepspeech'])
      if (!full.some((stage) => stage.name === name)) throw new Error(`${name} did not get its maximum of pods`);
    return timeline;
  });
};
