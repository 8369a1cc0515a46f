import { randomUUID } from 'node:crypto';
import { ports } from '../kubernetes/names.ts';
import { busySlots } from '../scaler/idle.ts';
import { applyOverlay, kubectl } from './cluster.ts';
import { medium } from './media.ts';
import { record } from './recorder.ts';
import { until, type System } from './system.ts';
import { timelineOf, type Scenario } from './timeline.ts';
import { watch } from './watch.ts';

/** Whose items take some seconds each. */
const STAGE = 'stage-deepspeech';

/** A request of its own each time: what was admitted once is not done again. */
const requestId = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

/** A pod that works on an item, by what it says itself. */
async function busyPod(system: System): Promise<string> {
  return until(`a busy pod of ${STAGE}`, 300, async () => {
    for (const [name, address] of await system.pods(STAGE)) {
      if (address === '') continue;
      const text = await fetch(`http://${address}:${ports.http}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      if (busySlots(text) > 0) return name;
    }
    return undefined;
  });
}

/** A pod that is killed in the middle of an item loses nothing: another one gets it. */
export const killed: Scenario = async (system, graph, say) => {
  await applyOverlay('warm');
  const recording = record(system, graph);
  const events = await watch(system.bus, recording.now);
  try {
    await until(`no item at ${STAGE}`, 120, () => Promise.resolve(recording.current(STAGE)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = requestId('killed');
    await system.submit(id, medium('walk-and-talk.mp4'), { memo: 'false' });
    const pod = await busyPod(system);
    await kubectl(['-n', 'fave', 'delete', 'pod', pod, '--grace-period=0', '--force']);
    say(`${pod} killed after ${(recording.now() - begun).toFixed(1)} s`);
    await events.completed([id], 600);
    const completed = recording.now();
    const again = events.items.filter(({ stage, deliveries }) => stage === STAGE && deliveries > 1);
    if (again.length === 0) throw new Error('the killed pod held no item: nothing was delivered again');
    say(
      `completed after ${(completed - begun).toFixed(1)} s; delivered again: ${again.map(({ item, outcome }) => `${item} ${outcome}`).join(', ')}`,
    );
    const about = `a pod of ${STAGE} killed in the middle of an item`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  } finally {
    await events.stop();
    await recording.stop();
  }
};

/** A pod that is taken away in the middle of an item finishes it. */
export const interrupted: Scenario = async (system, graph, say) => {
  await applyOverlay('warm');
  const recording = record(system, graph);
  const events = await watch(system.bus, recording.now);
  const pause = (value: string): Promise<string> =>
    kubectl(['-n', 'fave', 'annotate', '--overwrite', 'scaledobject', STAGE, `autoscaling.keda.sh/paused${value}`]);
  try {
    await until(`no item at ${STAGE}`, 120, () => Promise.resolve(recording.current(STAGE)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = requestId('interrupted');
    await system.submit(id, medium('walk-and-talk.mp4'), { memo: 'false' });
    const pod = await busyPod(system);
    const before = await system.pods(STAGE);
    const settled = events.items.length;
    // The autoscaler looks away while somebody else takes its pods: it would take none from a stage that has work.
    await pause('=true');
    await kubectl(['-n', 'fave', 'scale', 'deployment', STAGE, '--replicas=0']);
    await until('no pod is wanted', 60, () => Promise.resolve(recording.current(STAGE)?.desired === 0 || undefined));
    const told = recording.now();
    await until('the end of the pods that were told to stop', 300, async () => {
      const left = await system.pods(STAGE);
      return [...before.keys()].some((name) => left.has(name)) ? undefined : true;
    });
    const finished = events.items.slice(settled).filter(({ stage }) => stage === STAGE);
    if (!finished.some(({ t }) => t > told)) throw new Error(`${pod} did not finish the item that it worked on`);
    say(`${pod} went ${(recording.now() - told).toFixed(1)} s after it was told to, its item finished`);
    await pause('-');
    await events.completed([id], 600);
    const completed = recording.now();
    const again = events.items.filter(({ deliveries }) => deliveries > 1);
    if (again.length > 0) throw new Error(`delivered again: ${again.map(({ stage, item }) => `${stage} ${item}`).join(', ')}`);
    const about = `${STAGE} scaled to none in the middle of an item, and back`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  } finally {
    await events.stop();
    await recording.stop();
  }
};
