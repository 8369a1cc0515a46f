import { randomUUID } from 'node:crypto';
import { NAMESPACE, ports } from '../../../infra/kubernetes/names.ts';
import { busySlots } from '../../../infra/scaler/scale-down-order.ts';
import { applyOverlay, kubectl } from '../cluster/kubectl.ts';
import { medium } from '../cluster/media.ts';
import { until, type System } from '../cluster/system.ts';
import { recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** Seconds that Kubernetes waits for a pod that is told to stop, unless its manifest asks for more. */
const DEFAULT_GRACE = 30;

/** A request of its own each time: what was admitted once is not done again. */
const requestId = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

/** A pod that works on an item, by what it says itself. */
async function busyPod(system: System, stage: string): Promise<string> {
  return until(`a busy pod of ${stage}`, 300, async () => {
    for (const [name, address] of await system.pods(stage)) {
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
  const stage = 'stage-deepspeech';
  await applyOverlay('warm');
  return recordScenario(system, graph, async ({ recording, events }) => {
    await until(`no item at ${stage}`, 120, () => Promise.resolve(recording.current(stage)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = requestId('killed');
    await system.submit(id, medium('walk-and-talk.mp4'), { memo: 'false' });
    const pod = await busyPod(system, stage);
    await kubectl(['-n', NAMESPACE, 'delete', 'pod', pod, '--grace-period=0', '--force']);
    say(`${pod} killed after ${(recording.now() - begun).toFixed(1)} s`);
    await events.completed([id], 600);
    const completed = recording.now();
    const again = events.items.filter((item) => item.stage === stage && item.deliveries > 1);
    if (again.length === 0) throw new Error('the killed pod held no item: nothing was delivered again');
    say(
      `completed after ${(completed - begun).toFixed(1)} s; delivered again: ${again.map(({ item, outcome }) => `${item} ${outcome}`).join(', ')}`,
    );
    const about = `a pod of ${stage} killed in the middle of an item`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  });
};

/** A pod that is taken away in the middle of an item finishes it, however long after Kubernetes' default grace. */
export const interrupted: Scenario = async (system, graph, say) => {
  // Two frames in three of a video of 40 s, in clips of up to 30 s: a minute an item.
  const stage = 'stage-object-detector';
  const video = medium('bottle-detection-no-audio.mp4');
  const attributes = { interval: '0.05', memo: 'false' };
  await applyOverlay('warm');
  const pause = (value: string): Promise<string> =>
    kubectl(['-n', NAMESPACE, 'annotate', '--overwrite', 'scaledobject', stage, `autoscaling.keda.sh/paused${value}`]);
  return recordScenario(system, graph, async ({ recording, events }) => {
    await until(`no item at ${stage}`, 120, () => Promise.resolve(recording.current(stage)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = requestId('interrupted');
    await system.submit(id, video, attributes);
    const pod = await busyPod(system, stage);
    const before = await system.pods(stage);
    const settled = events.items.length;
    // The autoscaler looks away while somebody else takes its pods: it would take none from a stage that has work.
    await pause('=true');
    await kubectl(['-n', NAMESPACE, 'scale', 'deployment', stage, '--replicas=0']);
    await until('no pod is wanted', 60, () => Promise.resolve(recording.current(stage)?.desired === 0 || undefined));
    const told = recording.now();
    await until('the end of the pods that were told to stop', 300, async () => {
      const left = await system.pods(stage);
      return [...before.keys()].some((name) => left.has(name)) ? undefined : true;
    });
    const finished = events.items.slice(settled).filter((item) => item.stage === stage);
    const ends = finished.map(({ t }) => t - told);
    if (!ends.some((seconds) => seconds > DEFAULT_GRACE))
      throw new Error(`${pod} finished no item more than ${DEFAULT_GRACE} s after it was told to stop: ${ends.join(', ')}`);
    say(`${pod} went ${(recording.now() - told).toFixed(1)} s after it was told to, its item finished`);
    await pause('-');
    await events.completed([id], 600);
    const completed = recording.now();
    const again = events.items.filter(({ deliveries }) => deliveries > 1);
    if (again.length > 0) throw new Error(`delivered again: ${again.map(({ stage, item }) => `${stage} ${item}`).join(', ')}`);
    const about = `${stage} scaled to none in the middle of an item, and back`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  });
};
