import { setImmediate } from 'node:timers/promises';
import type { Detections, Frames } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { defineStage, type Item } from '../../shared/pipeline/stage.ts';
import { BACKENDS } from './backend.ts';
import { loadDetector } from './detector.ts';
import { parseDetections } from './parse-detections.ts';
import { decode } from './frames.ts';

/** Frames that are decoded at once: 6 MB of pixels, two file handles a frame. */
const BATCH = 8;

/** The COCO objects that are seen in a clip's frames. */
export default defineStage({
  name: 'stage-object-detector',
  version: 1,
  consumes: kinds.frames,
  produces: [kinds.detections],
  reads: [kinds.frame],
  options: {
    threshold: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.3,
      description: 'lowest score of a detected object that is listed',
    },
  },
  settings: {
    'detector-model': {
      type: 'string',
      default: '',
      description: 'path of a CenterNet graph model (model.json); empty: the one that is shipped',
    },
    'detector-backend': {
      type: 'string',
      enum: BACKENDS,
      default: 'auto',
      description: 'what computes the model; auto: tensorflow where it is installed, else wasm',
    },
  },

  start: ({ settings }) => loadDetector(settings['detector-model'], settings['detector-backend']),

  async run(item, { options: { threshold }, resource: detector, outputs, exec, dir, signal, recordModel: used }) {
    used(detector.model, `sha256:${detector.sha256.slice(0, 16)}`);
    used(detector.backend.name, detector.backend.version);

    const { start, end, frames } = (await item.json()) as Frames;
    const found: Detections['frames'] = [];
    for (let begin = 0; begin < frames.length; begin += BATCH) {
      const batch = frames.slice(begin, begin + BATCH);
      const pictures = await Promise.all(batch.map(async (frame) => ({ ...frame, path: await fileOf(item, frame.file) })));
      for (const { picture, rgb } of await decode(pictures, dir, exec)) {
        const { file, time, width, height } = picture;
        found.push({ file, time, width, height, objects: parseDetections(detector.detect(rgb), picture, threshold) });
        // The model holds the thread; between two pictures heartbeats are sent and cancellation is seen.
        await setImmediate();
        signal.throwIfAborted();
      }
    }
    await outputs.json(kinds.detections, { model: detector.model, threshold, start, end, frames: found } satisfies Detections);
  },
});

/** Downloads the frame that the manifest names, `frame_0001.jpg`. */
async function fileOf(item: Item, name: string): Promise<string> {
  const frame = Number(/\d+/.exec(name)?.[0]);
  return (await item.sibling(kinds.frame, { ...item.indices, frame })).file();
}
