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
  /** Which repeats, counted from 1. */
  readonly repeats: readonly number[];
  /** Seconds of a load, and that its last requests are waited for. */
  readonly duration: number;
  readonly wait: number;
  /** A file; undefined: a short sample that is made once. */
  readonly video?: string;
  readonly seed: number;
  /** Requests a second; undefined: measured once, and read from calibration.json after that. */
  readonly capacity?: number;
  /** Absolute. */
  readonly out: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/** Runs every cell that has no cell.json yet, in an order drawn from the seed. @returns All of them. @throws What aborts it. */
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
    progress(done ? `${name} is there already` : `${name}: ${plan.facts.arrivals.count} requests in ${options.duration} s`);
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
        // The same arrivals in every regime, so that what differs is the regime.
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

/** The command that runs a cell again, into another directory. */
function formatCommand(
  { platform, seed, duration, wait, video }: StudyOptions,
  { regime, load, repeat, capacity }: Pick<CellPlan, 'regime' | 'load' | 'repeat'> & { capacity: number },
): string {
  const options = { on: platform.name, regimes: regime, loads: load, repeat, seed, duration, wait, capacity };
  const given = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  const script = platform.name === 'local' ? 'study' : 'study:k8s';
  return [`npm run ${script} --`, ...given, ...(video === undefined ? [] : [`--video ${video}`]), '--out rerun'].join(' ');
}

/** The video of a study: the one that was named, or a sample of one sentence that all its cells share. */
async function findStudyVideo({ video, out, signal, progress }: StudyOptions): Promise<Video> {
  if (video !== undefined) return readVideo(video, process.cwd());
  const path = join(out, 'video.mp4');
  if (!existsSync(path)) {
    progress('making a short video …');
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
    const known = JSON.parse(await readFile(path, 'utf8')) as Calibration;
    if (known.video_sha256 === video.sha256) return known;
    throw new PermanentError('other-video', `${path} is of another video: choose another directory with --out, or remove it`);
  }
  progress('calibrating: a few requests, one after the other, in the warm regime …');
  const found = await withSystem(platform, 'warm', (observed) => calibrate(observed, video, signal));
  await writeFile(path, `${JSON.stringify(found, null, 2)}\n`);
  progress(
    `one request takes ${Math.round(found.request_cpu_ms.reduce((a, b) => a + b, 0) / found.request_cpu_ms.length)} ms of processor time: ${found.capacity} requests/s at most`,
  );
  return found;
}
