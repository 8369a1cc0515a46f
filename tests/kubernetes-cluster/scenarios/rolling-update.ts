import { connectBus } from '../../../shared/bus/connection.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import { version } from '../cluster/image-archives.ts';
import { images, NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import { kubectl, overlayDir, tagImage, shell, writeOverlay, type OverlayChanges } from '../cluster/kubectl.ts';
import { findTestVideo } from '../cluster/media.ts';
import { connectToSystem, secretsDir, waitUntil, type System } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';
import { recordEvents } from '../recorders/event-recorder.ts';

/** A second tag of the same images, used as another version. */
const NEXT = 'next';

/** Runs a block of docs/operations.md that is marked `cluster`, with the password directory of this installation. */
async function runDocumented(name: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const block = markedBlocks('cluster')[name];
  if (block === undefined) throw new Error(`docs/operations.md has no block cluster=${name}`);
  await shell(block.replaceAll('./secrets-of-this-cluster', secretsDir), { OVERLAY: overlayDir, ...variables });
}

/** Applies the committed overlay with the tag of every image, as the documented overlay sets it. */
async function applyCurrentVersion(overlay: string, changes: OverlayChanges): Promise<void> {
  await writeOverlay(overlay, { ...changes, images: Object.values(images).map((name) => ({ name, newTag: version })) });
  await runDocumented('upgrade', { FAVE_VERSION: version });
}

interface UpdateDuringRequest {
  readonly system: System;
  readonly id: string;
  /** Performs the update while the request runs. */
  readonly update: () => Promise<void>;
  /** Connects after the update. */
  readonly connect: () => Promise<System>;
}

/** Performs an update during a request. @throws Error unless this request and one after the update complete. */
async function updateDuringRequest({ system, id, update, connect }: UpdateDuringRequest): Promise<void> {
  const from = await nextSequence(system.bus);
  const options = { memo: 'false' };
  await system.submit(id, findTestVideo('long-5min.mp4'), options);
  await waitUntil('stage-deepspeech has lag', 300, async () => {
    const lags = [...(await system.lags())].filter(([consumer]) => consumer.startsWith('stage-deepspeech'));
    return lags.some(([, lag]) => lag > 0) || undefined;
  });
  await update();
  const after = await connect();
  if ([...(await after.lags()).values()].every((lag) => lag === 0)) throw new Error(`${id} ended before the update was complete`);
  const events = await recordEvents(after.bus, () => performance.now() / 1_000, from);
  try {
    await after.submit(`${id}-after`, findTestVideo('portrait-rotated.mp4'), options);
    await events.completed([id, `${id}-after`], 900);
  } finally {
    await events.stop();
    if (after !== system) await after.close();
  }
}

/** Upgrades to another version during a request, with the commands of docs/operations.md. */
export const upgraded =
  (overlay: string, changes: OverlayChanges = {}): Scenario =>
  async (system, _, report) => {
    await Promise.all(Object.values(images).map((name) => tagImage(name, version, NEXT)));
    await applyCurrentVersion(overlay, changes);
    const update = (): Promise<void> => runDocumented('upgrade', { FAVE_VERSION: NEXT });
    await updateDuringRequest({ system, id: 'upgraded', update, connect: () => Promise.resolve(system) });
    // Pods of the previous version may still finish an item that another pod has completed too.
    await waitUntil(`all pods run ${NEXT}`, 600, async () => {
      const path = '{.items[*].spec.containers[0].image}';
      const lasting = ['-l', 'app.kubernetes.io/component!=set-up', '-o', `jsonpath=${path}`];
      const running = (await kubectl(['-n', NAMESPACE, 'get', 'pods', ...lasting])).split(' ');
      return running.every((image) => image.endsWith(`:${NEXT}`)) || undefined;
    });
    report('upgraded during a request: it completed, like one after the upgrade');
    return undefined;
  };

/** Rotates all passwords during a request, with the commands of docs/operations.md. @param mc Path of the `mc` program. */
export const rotated =
  (overlay: string, mc: string, changes: OverlayChanges = {}): Scenario =>
  async (system, graph, report) => {
    await applyCurrentVersion(overlay, changes);
    await updateDuringRequest({
      system,
      id: 'rotated',
      update: () => runDocumented('rotate'),
      connect: () => connectToSystem(graph, mc),
    });
    const attempts = await Promise.allSettled([
      connectBus(system.admin.bus, 'old', 5_000).then((bus) => bus.close()),
      system.mc('ls', 'fave'),
    ]);
    if (attempts.some(({ status }) => status === 'fulfilled')) throw new Error('the bus or the store accepts an old password');
    report('rotated during a request: it completed, like one after the rotation; both servers reject the old passwords');
    return undefined;
  };
