import { setImmediate } from 'node:timers/promises';
import type { Detections, Frames } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Item, StageContext, StageSetup } from '../../shared/pipeline/stage.ts';
import type { BackendName, Detector } from './detector.ts';
import { decode } from './frames.ts';
import { loadDetector } from './load-detector.ts';
import { parseDetections } from './parse-detections.ts';

/** Number of frames decoded by one ffmpeg: about 1 MB of pixels and two file handles per frame. */
const BATCH = 32;

type Options = { readonly threshold: number };
type Settings = { readonly 'detector-model': string; readonly 'detector-backend': BackendName };

export function start({ settings }: StageSetup<Settings>): Promise<Detector> {
  return loadDetector(settings['detector-model'], settings['detector-backend']);
}

export async function run(
  item: Item,
  {
    options: { threshold },
    resource: detector,
    outputs,
    exec,
    dir,
    signal,
    recordModel,
  }: StageContext<Options, Settings, Detector>,
): Promise<void> {
  recordModel(detector.model, `sha256:${detector.sha256.slice(0, 16)}`);
  recordModel(detector.backend.name, detector.backend.version);

  const { start, end, frames } = (await item.json()) as Frames;
  const detected: Detections['frames'] = [];
  for (let first = 0; first < frames.length; first += BATCH) {
    const batch = frames.slice(first, first + BATCH);
    const images = await Promise.all(batch.map(async (frame) => ({ ...frame, path: await downloadFrame(item, frame.file) })));
    for (const { image, rgb } of await decode(images, detector.input, dir, exec)) {
      const { file, time, width, height } = image;
      const rows = await detector.detect(rgb);
      detected.push({ file, time, width, height, objects: parseDetections(rows, image, detector, threshold) });
      // The model blocks the thread. This lets heartbeats and cancellation through between two frames.
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  await outputs.json(kinds.detections, { model: detector.model, threshold, start, end, frames: detected } satisfies Detections);
}

/** Downloads the frame with a name from the manifest, such as `frame_0001.jpg`. */
async function downloadFrame(item: Item, name: string): Promise<string> {
  const frame = Number(/\d+/.exec(name)?.[0]);
  return (await item.sibling(kinds.frame, { ...item.indices, frame })).file();
}
