import { findTestVideo } from '../cluster/media.ts';
import { waitUntil } from '../cluster/system.ts';
import { assertAllWorked, recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** Checks that one upload completes without a pod at any stage before it, and that all stages scale back to zero. */
export const cold: Scenario = (system, graph, report) =>
  recordScenario(system, graph, async ({ recording, events }) => {
    const isEmpty = (): Promise<true | undefined> =>
      Promise.resolve(
        graph.stages.every(({ name }) => {
          const change = recording.current(name);
          return change?.desired === 0 && change.ready === 0 && change.lag === 0;
        }) || undefined,
      );
    await waitUntil('all stages have scaled to zero', 180, isEmpty);
    const begun = recording.now();
    report(`no pod at any stage, after ${begun} s`);
    await system.submit('cold', findTestVideo('walk-and-talk.mp4'), { query: 'country' });
    await events.completed(['cold'], 600);
    const completed = recording.now();
    report(`completed after ${(completed - begun).toFixed(1)} s`);
    await waitUntil('all stages have scaled back to zero', 180, isEmpty);
    assertAllWorked(graph, events);
    const about = 'one video of 54 s from no pod at any stage, and back';
    return timelineOf(graph, recording, events, { about, overlay: 'cold', requests: 1, begun, completed });
  });
