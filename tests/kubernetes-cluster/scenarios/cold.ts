import { medium } from '../cluster/media.ts';
import { until } from '../cluster/system.ts';
import { assertAllWorked, recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** From no pod at any stage one upload is analysed, and no pod is left. */
export const cold: Scenario = (system, graph, say) =>
  recordScenario(system, graph, async ({ recording, events }) => {
    const isEmpty = (): Promise<true | undefined> =>
      Promise.resolve(
        graph.stages.every(({ name }) => {
          const change = recording.current(name);
          return change?.desired === 0 && change.ready === 0 && change.lag === 0;
        }) || undefined,
      );
    await until('no pod at any stage', 180, isEmpty);
    const begun = recording.now();
    say(`no pod at any stage, after ${begun} s`);
    await system.submit('cold', medium('walk-and-talk.mp4'), { query: 'country' });
    await events.completed(['cold'], 600);
    const completed = recording.now();
    say(`completed after ${(completed - begun).toFixed(1)} s`);
    await until('no pod at any stage again', 180, isEmpty);
    assertAllWorked(graph, events);
    const about = 'one video of 54 s from no pod at any stage, and back';
    return timelineOf(graph, recording, events, { about, overlay: 'cold', requests: 1, begun, completed });
  });
