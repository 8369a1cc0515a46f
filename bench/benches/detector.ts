import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSamplePhotograph } from '../../loadgen/arrivals/sample-video.ts';
import type { BackendName, Detector } from '../../services/stage-object-detector/detector.ts';
import { decode } from '../../services/stage-object-detector/frames.ts';
import { loadDetector } from '../../services/stage-object-detector/load-detector.ts';
import { FaveError } from '../../shared/core/errors.ts';
import { createExec } from '../../shared/tools/exec.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, now, summarize } from '../report/figures.ts';

const BACKENDS: readonly BackendName[] = ['onnxruntime', 'tensorflow', 'wasm'];

export const detector: Bench = {
  name: 'detector',
  about: 'time of the object detector per frame, on one thread; each backend n frames, alternating',
  n: 50,
  async run({ n, progress }) {
    const loaded = new Map<BackendName, { detector: Detector; load: number; frames: number[] }>();
    for (const name of BACKENDS) {
      const begun = now();
      const detector = await loadDetector('', name).catch(withoutBackend);
      if (detector) loaded.set(name, { detector, load: now() - begun, frames: [] });
      else progress(`${name} is not installed`);
    }
    const rgb = await decodePhotograph();
    for (let round = 0; round <= n; round += 1) {
      for (const { detector, frames } of loaded.values()) {
        const begun = now();
        await detector.detect(rgb);
        // The first frame is a warm-up.
        if (round > 0) frames.push(now() - begun);
      }
    }
    return {
      targets: [atMost('onnxruntime p50 ms per frame', median(loaded.get('onnxruntime')?.frames ?? []), 35)],
      figures: Object.fromEntries(
        [...loaded.values()].map(({ detector: { backend }, load, frames }) => [
          `${backend.name} ${backend.version}`,
          { load: Math.round(load), frame: summarize(frames) },
        ]),
      ),
    };
  },
};

/** Returns undefined if the backend is not installed, and rethrows other errors. */
function withoutBackend(error: unknown): undefined {
  if (!(error instanceof FaveError) || error.code !== 'detector-backend-missing') throw error;
}

async function decodePhotograph(): Promise<Uint8Array> {
  const { input } = await loadDetector('', 'auto');
  const dir = await mkdtemp(join(tmpdir(), 'fave-bench-'));
  try {
    const image = { path: findSamplePhotograph(), width: 1280, height: 1158 };
    const [frame] = await decode([image], input, dir, createExec({ env: process.env }));
    if (!frame) throw new Error('ffmpeg decoded no photograph');
    return frame.rgb;
  } finally {
    await rm(dir, { recursive: true });
  }
}
