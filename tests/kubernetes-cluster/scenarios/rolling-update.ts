import { connectBus } from '../../../shared/bus/connection.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import { version } from '../cluster/image-archives.ts';
import { images, NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import { kubectl, overlayDir, retag, shell, writeOverlay, type Adaptation } from '../cluster/kubectl.ts';
import { medium } from '../cluster/media.ts';
import { accessTo, secretsDir, until, type System } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';
import { watch } from '../recorders/event-recorder.ts';

/** Tag of what is another version by name only. */
const NEXT = 'next';

/** Runs a block of docs/operations.md that is marked `cluster`, as it stands but for where this installation's passwords are. */
async function follow(name: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const found = markedBlocks('cluster')[name];
  if (found === undefined) throw new Error(`docs/operations.md has no block cluster=${name}`);
  await shell(found.replaceAll('./secrets-of-this-cluster', secretsDir), { OVERLAY: overlayDir, ...variables });
}

/** The overlay as it is committed, whatever was there before, with the tag of every image as a person's own has it. */
async function begin(overlay: string, adaptation: Adaptation): Promise<void> {
  await writeOverlay(overlay, { ...adaptation, images: Object.values(images).map((name) => ({ name, newTag: version })) });
  await follow('upgrade', { FAVE_VERSION: version });
}

interface Renewal {
  readonly system: System;
  readonly id: string;
  /** Does what is done in the midst of a request. */
  readonly renew: () => Promise<void>;
  /** Access after it. */
  readonly access: () => Promise<System>;
}

/** Has something done in the midst of a request, which completes all the same, as does one after it. */
async function midway({ system, id, renew, access }: Renewal): Promise<void> {
  const from = await nextSequence(system.bus);
  const options = { memo: 'false' };
  await system.submit(id, medium('long-5min.mp4'), options);
  await until('work for stage-deepspeech', 300, async () => {
    const lags = [...(await system.lags())].filter(([consumer]) => consumer.startsWith('stage-deepspeech'));
    return lags.some(([, lag]) => lag > 0) || undefined;
  });
  await renew();
  const after = await access();
  if ([...(await after.lags()).values()].every((lag) => lag === 0)) throw new Error(`${id} had ended before all was renewed`);
  const events = await watch(after.bus, () => performance.now() / 1_000, from);
  try {
    await after.submit(`${id}-after`, medium('portrait-rotated.mp4'), options);
    await events.completed([id, `${id}-after`], 900);
  } finally {
    await events.stop();
    if (after !== system) await after.close();
  }
}

/** Another version, by the commands of docs/operations.md, in the midst of a request. */
export const upgraded =
  (overlay: string, adaptation: Adaptation = {}): Scenario =>
  async (system, _, say) => {
    await Promise.all(Object.values(images).map((name) => retag(name, version, NEXT)));
    await begin(overlay, adaptation);
    const renew = (): Promise<void> => follow('upgrade', { FAVE_VERSION: NEXT });
    await midway({ system, id: 'upgraded', renew, access: () => Promise.resolve(system) });
    // Those of the older version may still be at an item, that another has done meanwhile too.
    await until(`only pods of ${NEXT}`, 600, async () => {
      const path = '{.items[*].spec.containers[0].image}';
      const lasting = ['-l', 'app.kubernetes.io/component!=set-up', '-o', `jsonpath=${path}`];
      const running = (await kubectl(['-n', NAMESPACE, 'get', 'pods', ...lasting])).split(' ');
      return running.every((image) => image.endsWith(`:${NEXT}`)) || undefined;
    });
    say('another version in the midst of a request: completed, and one after it');
    return undefined;
  };

/** Other passwords, by the commands of docs/operations.md, in the midst of a request. @param mc The `mc` program. */
export const rotated =
  (overlay: string, mc: string, adaptation: Adaptation = {}): Scenario =>
  async (system, graph, say) => {
    await begin(overlay, adaptation);
    await midway({ system, id: 'rotated', renew: () => follow('rotate'), access: () => accessTo(graph, mc) });
    const opened = await Promise.allSettled([
      connectBus(system.admin.bus, 'old', 5_000).then((bus) => bus.close()),
      system.mc('ls', 'fave'),
    ]);
    if (opened.some(({ status }) => status === 'fulfilled')) throw new Error('an old password still opens the bus or the store');
    say('other passwords in the midst of a request: completed, and one after it; the old ones open nothing');
    return undefined;
  };
