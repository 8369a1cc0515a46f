import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestState } from '../../../../schemas/generated/types.ts';
import type { Bus } from '../../../../shared/bus/connection.ts';
import { readStream } from '../../../../shared/bus/read-stream.ts';
import { parseRequestEvent, undefinedIfInvalid } from '../../../../shared/bus/request-events.ts';
import { streams, subjects } from '../../../../shared/bus/topology.ts';
import { randomOf } from '../../../../shared/core/random.ts';
import { exec } from '../../../support/exec.ts';
import { withChaosEnvironment } from '../environment/environment.ts';
import { createVideos } from '../environment/media.ts';
import { createLoad, type Load } from '../load.ts';
import { readEnding } from '../request-tree.ts';
import { createHostileReport, type HostileReport, type Normal, type SentBomb } from './report.ts';
import type { SettledItem } from './waits.ts';

/** Timeout for the end of a normal request (ms). */
const END_TIMEOUT_MS = 900_000;

/** An upload that costs much more work than its size suggests. */
interface Bomb {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  /** Arguments of ffmpeg without the output. */
  readonly args: readonly string[];
}

const source = (filter: string): string[] => ['-f', 'lavfi', '-i', filter];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

/** File names with their extensions. */
const bombs: readonly Bomb[] = [
  // Six hours, 0.9 GB as WAV.
  { name: 'silence.flac', options: {}, args: [...source('anullsrc=r=8000:cl=mono:d=21599'), '-c:a', 'flac'] },
  {
    name: 'tones.flac',
    options: { segmentation: 'fave' },
    args: [...source("aevalsrc='if(lt(mod(t,1),0.5),0.5*sin(2764*t),0)':s=8000:d=4000"), '-c:a', 'flac'],
  },
  { name: 'pixels.mp4', options: {}, args: [...source('color=black:s=4096x4096:r=30:d=10'), ...x264] },
  { name: 'frames.mp4', options: { interval: '0.04' }, args: [...source('testsrc2=s=64x64:r=900:d=60'), ...x264] },
];

/** Uploads resource bombs, then normal videos one after another, and checks the waits and the durations of the normal requests. */
export async function runHostile(minutes: number, progress: (line: string) => void): Promise<HostileReport> {
  const media = await mkdtemp(join(tmpdir(), 'fave-hostile-media-'));
  try {
    const [video = ''] = await createVideos(1, media);
    for (const { name, args } of bombs) await exec('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, join(media, name)]);
    return await withChaosEnvironment(progress, { hasSmallDisk: false }, async ({ store, bus }) => {
      const load = createLoad({ store, bus }, [video], randomOf(1));
      await measureRequest(load, video); // The first request starts the models.
      const idleSeconds = (await measureRequest(load, video)).seconds;
      progress(`idle: ${idleSeconds.toFixed(1)} s`);
      const sent: SentBomb[] = [];
      for (const { name, options } of bombs) {
        const path = join(media, name);
        const { id } = await load.submit(path, false, options);
        sent.push({ id, name, bytes: statSync(path).size });
      }
      const normal: Normal[] = [];
      const end = AbortSignal.timeout(minutes * 60_000);
      while (!end.aborted) {
        const one = await measureRequest(load, video);
        normal.push(one);
        progress(`beside bombs: ${one.seconds.toFixed(1)} s`);
      }
      const items = await readItems(bus);
      const endings = new Map<string, readonly RequestState[]>();
      for (const { id } of [...sent, ...normal]) endings.set(id, (await readEnding(bus, { id })).ends);
      return createHostileReport({ idleSeconds, sent, normal, items, endings });
    });
  } finally {
    await rm(media, { recursive: true, force: true });
  }
}

/** Uploads a video and waits for the end of its request. */
async function measureRequest(load: Load, video: string): Promise<Normal> {
  const startedAt = performance.now();
  const { id } = await load.submit(video, false);
  await load.ended(id, AbortSignal.timeout(END_TIMEOUT_MS));
  return { id, seconds: (performance.now() - startedAt) / 1_000 };
}

/** Reads the settled items of all requests. */
async function readItems(bus: Bus): Promise<SettledItem[]> {
  const items: SettledItem[] = [];
  for await (const message of readStream(bus, { stream: streams.requests, subject: subjects.stage('*', '*') })) {
    const event = undefinedIfInvalid(() => parseRequestEvent(message));
    if (event?.type === 'item') items.push({ ...event.data, settledAtMs: Date.parse(event.time) });
  }
  return items;
}
