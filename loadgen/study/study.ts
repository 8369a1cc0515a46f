import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cell } from '../../schemas/generated/types.ts';
import { regimeSettings, type RegimeName } from '../../infra/deployment/regimes.ts';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { recordFiles } from '../record/record-files.ts';
import { readVideo, type Video } from '../arrivals/mix.ts';
import { randomOf } from '../../shared/core/random.ts';
import { createSampleVideo, SAMPLE_SENTENCES } from '../arrivals/sample-video.ts';
import { calibrate, type Calibration } from './cell/calibrate.ts';
import { runCell, withSystem, type CellPlan } from './cell/cell.ts';
import { readCommit, describeVideo, describeMachine } from './plan/facts.ts';
import { toArrivals, describeArrivals, type LoadName } from './plan/loads.ts';
import type { Platform } from './system/platform.ts';

export interface StudyOptions {
  readonly platform: Platform;
  readonly regimes: readonly RegimeName[];
  readonly loads: readonly LoadName[];
  /** Numbers of the repeats, from 1. */
  readonly repeats: readonly number[];
  /** Duration of a load and timeout for its last requests, in seconds. */
  readonly duration: number;
  readonly wait: number;
  /** Path of the video. Default: a short sample that is created once. */
  readonly video?: string;
  readonly seed: number;
  /** Capacity in requests per second. Default: the value in calibration.json, which is measured if the file is missing. */
  readonly capacity?: number;
  /** Absolute path. */
  readonly out: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/** Runs all cells without a cell.json, in an order drawn from the seed. @returns All cells. @throws The reason of `signal`. */
export async function runStudy(options: StudyOptions): Promise<Cell[]> {
  const { platform, seed, out, signal, progress } = options;
  await mkdir(out, { recursive: true });
  const video = await findStudyVideo(options);
  const capacity = options.capacity ?? (await readOrMeasureCapacity(options, video)).capacity;
  const plans = randomOf(seed).shuffled(await createPlans(options, video, capacity));
  const cells: Cell[] = [];
  for (const [n, plan] of plans.entries()) {
    const path = join(plan.dir, recordFiles.cell);
    const name = `${plan.regime}/${plan.load}/${plan.repeat} (${n + 1} of ${plans.length})`;
    const done = existsSync(path);
    progress(done ? `${name}: already recorded` : `${name}: ${plan.facts.arrivals.count} requests in ${options.duration} s`);
    const cell = done ? parseJson('cell', await readFile(path, 'utf8')) : await runCell(platform, plan, signal);
    if (!done)
      progress(
        `${name}: ${cell.status}${cell.reason === undefined ? `, ${cell.anomalies.length} anomalies` : `: ${cell.reason}`}`,
      );
    cells.push(cell);
  }
  return cells;
}

async function createPlans(options: StudyOptions, video: Video, capacity: number): Promise<CellPlan[]> {
  const { platform, regimes, loads, repeats, duration, wait, out } = options;
  const same = {
    video: await describeVideo(video),
    machine: describeMachine(),
    versions: { fave: await readCommit(), ...(await platform.versions()) },
  };
  return regimes.flatMap((regime) =>
    loads.flatMap((load) =>
      repeats.map((repeat): CellPlan => {
        // All regimes have the same arrivals, so differences are effects of the regime.
        const seed = options.seed * 1_000 + repeat;
        const arrivals = toArrivals(load, capacity, duration);
        const command = formatCommand(options, { regime, load, repeat, capacity });
        const facts = { ...same, command, settings: regimeSettings(regime, graph), arrivals: describeArrivals(arrivals, seed) };
        return {
          regime,
          load,
          repeat,
          seed,
          arrivals,
          video,
          wait,
          dir: join(out, ...(platform.name === 'local' ? [] : [platform.name]), regime, load, String(repeat)),
          facts,
        };
      }),
    ),
  );
}

/** Formats the command that repeats a cell in another directory. */
function formatCommand(
  { platform, seed, duration, wait, video }: StudyOptions,
  { regime, load, repeat, capacity }: Pick<CellPlan, 'regime' | 'load' | 'repeat'> & { capacity: number },
): string {
  const options = { on: platform.name, regimes: regime, loads: load, repeat, seed, duration, wait, capacity };
  const flags = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  const script = platform.name === 'local' ? 'study' : 'study:k8s';
  return [`npm run ${script} --`, ...flags, ...(video === undefined ? [] : [`--video ${video}`]), '--out rerun'].join(' ');
}

/** Returns the video of a study: the specified one, or a sample of one sentence that all cells share. */
async function findStudyVideo({ video, out, signal, progress }: StudyOptions): Promise<Video> {
  if (video !== undefined) return readVideo(video, process.cwd());
  const path = join(out, 'video.mp4');
  if (!existsSync(path)) {
    progress('creating a sample video …');
    const dir = await mkdtemp(join(out, '.video-'));
    await rename(await createSampleVideo(dir, signal, SAMPLE_SENTENCES.slice(0, 1)), path).finally(() =>
      rm(dir, { recursive: true, force: true }),
    );
  }
  return readVideo(path, out);
}

async function readOrMeasureCapacity({ platform, out, signal, progress }: StudyOptions, video: Video): Promise<Calibration> {
  const path = join(out, 'calibration.json');
  if (existsSync(path)) {
    const calibration = JSON.parse(await readFile(path, 'utf8')) as Calibration;
    if (calibration.video_sha256 === video.sha256) return calibration;
    throw new PermanentError(
      'other-video',
      `${path} belongs to another video: choose another directory with --out, or remove the file`,
    );
  }
  progress('calibrating with sequential requests in the warm regime …');
  const found = await withSystem(platform, 'warm', (observed) => calibrate(observed, video, signal));
  await writeFile(path, `${JSON.stringify(found, null, 2)}\n`);
  progress(
    `one request uses ${Math.round(found.request_cpu_ms.reduce((a, b) => a + b, 0) / found.request_cpu_ms.length)} ms of processor time: the capacity is ${found.capacity} requests/s`,
  );
  return found;
}
