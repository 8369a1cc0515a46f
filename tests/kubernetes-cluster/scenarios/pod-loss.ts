import { randomUUID } from 'node:crypto';
import { NAMESPACE, ports } from '../../../infra/kubernetes/names.ts';
import { busySlots } from '../../../infra/scaler/scale-down-order.ts';
import { applyOverlay, kubectl } from '../cluster/kubectl.ts';
import { findTestVideo } from '../cluster/media.ts';
import { waitUntil, type System } from '../cluster/system.ts';
import { recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** Kubernetes' default grace period. */
const DEFAULT_GRACE_SECONDS = 30;

/** Returns a new request id for each run: an admitted request is not processed again. */
const createRequestId = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

/** Waits for a pod that reports an item in progress. @returns Its name. */
async function waitForBusyPod(system: System, stage: string): Promise<string> {
  return waitUntil(`a pod of ${stage} is busy`, 300, async () => {
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

/** Checks that the item of a killed pod is redelivered and completes. */
export const killed: Scenario = async (system, graph, report) => {
  const stage = 'stage-deepspeech';
  await applyOverlay('warm');
  return recordScenario(system, graph, async ({ recording, events }) => {
    await waitUntil(`${stage} has no lag`, 120, () => Promise.resolve(recording.current(stage)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = createRequestId('killed');
    await system.submit(id, findTestVideo('walk-and-talk.mp4'), { memo: 'false' });
    const pod = await waitForBusyPod(system, stage);
    await kubectl(['-n', NAMESPACE, 'delete', 'pod', pod, '--grace-period=0', '--force']);
    report(`${pod} killed after ${(recording.now() - begun).toFixed(1)} s`);
    await events.completed([id], 600);
    const completed = recording.now();
    const redelivered = events.items.filter((item) => item.stage === stage && item.deliveries > 1);
    if (redelivered.length === 0) throw new Error('nothing was redelivered: the killed pod had no item in progress');
    report(
      `completed after ${(completed - begun).toFixed(1)} s; redelivered: ${redelivered.map(({ item, outcome }) => `${item} ${outcome}`).join(', ')}`,
    );
    const about = `a pod of ${stage} killed during an item`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  });
};

/** Checks that a stopped pod finishes its item after more than Kubernetes' default grace period. */
export const interrupted: Scenario = async (system, graph, report) => {
  // Two of three frames of a video of 40 s, one clip: more than a minute for the item.
  const stage = 'stage-object-detector';
  const video = findTestVideo('bottle-detection-no-audio.mp4');
  const attributes = { interval: '0.05', memo: 'false' };
  await applyOverlay('warm');
  const pause = (value: string): Promise<string> =>
    kubectl(['-n', NAMESPACE, 'annotate', '--overwrite', 'scaledobject', stage, `autoscaling.keda.sh/paused${value}`]);
  return recordScenario(system, graph, async ({ recording, events }) => {
    await waitUntil(`${stage} has no lag`, 120, () => Promise.resolve(recording.current(stage)?.lag === 0 || undefined));
    const begun = recording.now();
    const id = createRequestId('interrupted');
    await system.submit(id, video, attributes);
    const pod = await waitForBusyPod(system, stage);
    const before = await system.pods(stage);
    const settled = events.items.length;
    // KEDA is paused because it would not remove pods of a stage with lag.
    await pause('=true');
    await kubectl(['-n', NAMESPACE, 'scale', 'deployment', stage, '--replicas=0']);
    await waitUntil('no pod is desired', 60, () => Promise.resolve(recording.current(stage)?.desired === 0 || undefined));
    const stopped = recording.now();
    await waitUntil('the stopped pods have ended', 300, async () => {
      const left = await system.pods(stage);
      return [...before.keys()].some((name) => left.has(name)) ? undefined : true;
    });
    const finished = events.items.slice(settled).filter((item) => item.stage === stage);
    const ends = finished.map(({ t }) => t - stopped);
    if (!ends.some((seconds) => seconds > DEFAULT_GRACE_SECONDS))
      throw new Error(`${pod} finished no item more than ${DEFAULT_GRACE_SECONDS} s after SIGTERM: ${ends.join(', ')}`);
    report(`${pod} ended ${(recording.now() - stopped).toFixed(1)} s after SIGTERM with its item finished`);
    await pause('-');
    await events.completed([id], 600);
    const completed = recording.now();
    const redelivered = events.items.filter(({ deliveries }) => deliveries > 1);
    if (redelivered.length > 0)
      throw new Error(`redelivered: ${redelivered.map(({ stage, item }) => `${stage} ${item}`).join(', ')}`);
    const about = `${stage} scaled to zero during an item, and back`;
    return timelineOf(graph, recording, events, { about, overlay: 'warm', requests: 1, begun, completed });
  });
};
