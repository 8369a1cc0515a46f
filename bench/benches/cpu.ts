import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { graph } from '../../services/pipeline.ts';
import { withInstance, type Instance } from '../instance/instance.ts';
import { measureCpu, startProcesses, type MeasuredProcess } from '../instance/processes.ts';
import { findMedia, processRequest } from '../instance/requests.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, roundToMicro, type Target } from '../report/figures.ts';

/** Work of the pipeline, with upper limits of its medians in seconds on two idle cores. */
interface Workload {
  readonly file: 'talk' | 'walk';
  readonly segmentation: 'silence' | 'fave';
  /** Number of requests at the same time. */
  readonly requests: number;
  readonly wall: number;
  readonly cpu?: number;
}

const workloads: Readonly<Record<string, Workload>> = {
  talk: { file: 'talk', segmentation: 'silence', requests: 1, wall: 3.4 },
  'talk-fave': { file: 'talk', segmentation: 'fave', requests: 1, wall: 6.6, cpu: 11 },
  walk: { file: 'walk', segmentation: 'silence', requests: 1, wall: 4.4, cpu: 7 },
  'walk-five': { file: 'walk', segmentation: 'silence', requests: 5, wall: 20 },
  'walk-fave': { file: 'walk', segmentation: 'fave', requests: 1, wall: 9, cpu: 17 },
};

/** Figures of one round, in seconds. */
interface Round {
  readonly wall_s: number;
  readonly cpu_s: number;
  /** Processor time of each service with its tools and of each server. */
  readonly processes: Readonly<Record<string, number>>;
}

export const cpu: Bench = {
  name: 'cpu',
  about: 'wall time and processor time by service and server, without speech; median of n rounds after one that is not counted',
  n: 3,
  workloads: Object.keys(workloads),
  async run({ n, only, progress }) {
    return withInstance({ graph, progress }, async (instance) => {
      const processes = await startProcesses(instance);
      const files = { walk: findMedia('walk-and-talk.mp4'), talk: await generateTalk(instance.dataDir) };
      const figures: Record<string, Round> = {};
      const targets: Target[] = [];
      for (const [name, workload] of Object.entries(workloads).filter(([key]) => only === undefined || key === only)) {
        const rounds: Round[] = [];
        for (let round = 0; round <= n; round += 1) {
          const measured = await measure(instance, processes, files[workload.file], workload);
          progress(`${name}: ${JSON.stringify(measured)}`);
          if (round > 0) rounds.push(measured);
        }
        const middle = toMedian(rounds);
        figures[name] = middle;
        targets.push(atMost(`${name}, wall time in s`, middle.wall_s, workload.wall));
        if (workload.cpu !== undefined) targets.push(atMost(`${name}, processor time in s`, middle.cpu_s, workload.cpu));
      }
      return { targets, figures };
    });
  },
};

async function measure(
  instance: Instance,
  processes: readonly MeasuredProcess[],
  path: string,
  { segmentation, requests }: Workload,
): Promise<Round> {
  const process = (): Promise<{ took: number }> => processRequest(instance, path, { speech: 'none', segmentation });
  const { result, cpu: used } = await measureCpu(processes, () => Promise.all(Array.from({ length: requests }, process)));
  return {
    wall_s: roundToMicro(Math.max(...result.map(({ took }) => took)) / 1_000),
    cpu_s: roundToMicro(Object.values(used).reduce((sum, seconds) => sum + seconds, 0)),
    processes: used,
  };
}

function toMedian(rounds: readonly Round[]): Round {
  const of = (value: (round: Round) => number): number => roundToMicro(median(rounds.map(value)));
  const names = Object.keys(rounds[0]?.processes ?? {});
  return {
    wall_s: of(({ wall_s }) => wall_s),
    cpu_s: of(({ cpu_s }) => cpu_s),
    processes: Object.fromEntries(names.map((name) => [name, of(({ processes }) => processes[name] ?? 0)])),
  };
}

/** Writes a video of 20 s in 720p from the test media, with one word per 1.7 s: 12 clips by loudness, one clip by its pauses. */
async function generateTalk(dir: string): Promise<string> {
  const target = join(dir, 'talk.mp4');
  const video = ['-filter:v', 'scale=1280:720', '-c:v', 'libx264', '-preset', 'veryfast'];
  // Half a second of tone in each 1.667 s. Its pauses are the cuts of segmentation=fave.
  const audio = [
    '-filter_complex',
    'aevalsrc=if(lt(mod(t\\,1.667)\\,0.9)\\,0.3*sin(880*t)\\,0):d=20[a]',
    '-map',
    '[a]',
    '-c:a',
    'aac',
  ];
  const args = [
    '-nostdin',
    '-loglevel',
    'error',
    '-t',
    '20',
    '-i',
    findMedia('walk-and-talk.mp4'),
    '-map',
    '0:v',
    ...audio,
    ...video,
  ];
  await promisify(execFile)('ffmpeg', [...args, target]);
  return target;
}
