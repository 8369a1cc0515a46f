import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { realClock, type Clock } from '../../../loadgen/arrivals/clock.ts';
import { createRecorder, recordFiles } from '../../../loadgen/record/record-files.ts';
import { runLoad } from '../../../loadgen/run/load.ts';
import { readVideo } from '../../../loadgen/arrivals/mix.ts';
import { raisePriority } from '../../../loadgen/run/process-priority.ts';
import { planLoad, type LoadSpec, type LoadPlan } from '../../../loadgen/arrivals/load-plan.ts';
import { createSummary, type LoadSummary } from '../../../loadgen/record/summary.ts';
import type { Target } from '../../../loadgen/targets/target.ts';
import { createBucketTarget } from '../../../loadgen/targets/bucket.ts';
import { defaultStall, createNullTarget, createStallingTarget } from '../../../loadgen/targets/local.ts';
import { graph } from '../../../services/pipeline.ts';
import { PermanentError, UsageError } from '../../../shared/core/errors.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { createLoadDisplay, formatLoadSummary } from '../../output/load-progress.ts';
import { parseOptions } from '../../../shared/requests/submission.ts';

export interface LoadCommandOptions extends LoadSpec {
  readonly video: readonly string[];
  readonly option: readonly string[];
  readonly memo?: boolean;
  readonly regime?: string;
  readonly target: 'fave' | 'null' | 'stalling';
  readonly out?: string;
  /** Seconds. */
  readonly wait: number;
  readonly json?: boolean;
}

/** Content of `load.json`, which is written last. */
interface LoadReport extends LoadSummary {
  readonly regime: string | null;
  readonly pattern: LoadPlan['pattern'];
  readonly rate: number | null;
  /** Seconds. */
  readonly duration_s: number;
  readonly seed: number;
  readonly options: Readonly<Record<string, string>>;
  readonly began: string;
  readonly ended: string;
  readonly out: string;
}

/** Sends a load and records it. Exit code 1: a request did not complete; 130: Ctrl-C; the record is kept. */
export async function load(cli: CliContext, options: LoadCommandOptions): Promise<number> {
  const { seed, regime = null, wait } = options;
  const plan = await planLoad(options, cli.cwd).catch(asUsage);
  const chosen = { memo: String(options.memo ?? false), ...parseOptions(options.option, undefined, graph) };
  if (options.target === 'fave' && options.video.length === 0) throw new UsageError('--video FILE is required');
  const videos = options.target === 'fave' ? await Promise.all(options.video.map((text) => readVideo(text, cli.cwd))) : [NOTHING];
  const clock = realClock();
  const began = new Date();
  const out = resolve(cli.cwd, options.out ?? join('loads', `${plan.pattern}-${began.toISOString().replace(/[:.]/g, '')}`));

  const summary = createSummary();
  await withTarget(cli, options.target, clock, chosen, async (target) => {
    const recorder = await createRecorder(out);
    const gauge = createLoadDisplay(cli.stderr);
    const giveWay = raisePriority();
    try {
      const record: Parameters<typeof runLoad>[0]['record'] = (each, items) => {
        summary.add(each);
        recorder.append(each, items);
      };
      const { schedule } = plan;
      await runLoad({ schedule, videos, seed, target, clock, wait, signal: cli.signal, record, watch: gauge.watch });
    } finally {
      giveWay?.();
      gauge.end();
      await recorder.close();
    }
  });
  const { pattern, rate, schedule } = plan;
  const about = { regime, pattern, rate, duration_s: schedule.duration, seed, options: chosen };
  const when = { began: began.toISOString(), ended: new Date().toISOString(), out };
  const report: LoadReport = { ...about, ...when, ...summary.summary() };
  await mkdir(out, { recursive: true });
  // A record can be moved, so it does not contain its path.
  await writeFile(join(out, recordFiles.load), `${JSON.stringify({ ...report, out: undefined }, null, 2)}\n`);
  if (options.json) cli.stdout.line(toJson(report));
  else formatLoadSummary(report, cli.stdout).forEach(cli.stdout.line);
  if (cli.signal.aborted) return exitCodes.interrupted;
  return report.completed === report.requests ? exitCodes.ok : exitCodes.failed;
}

/** Placeholder for targets that ignore the video. */
const NOTHING = { name: 'nothing', path: '', weight: 1, sha256: '', size: 0 };

async function withTarget(
  cli: CliContext,
  name: LoadCommandOptions['target'],
  clock: Clock,
  options: Readonly<Record<string, string>>,
  work: (target: Target) => Promise<void>,
): Promise<void> {
  if (name === 'null') return work(createNullTarget(clock));
  if (name === 'stalling') return work(createStallingTarget(clock, defaultStall));
  return withStore(cli, (store) => withBus(cli, (bus) => work(createBucketTarget(store, bus, options))));
}

function asUsage(error: unknown): never {
  throw error instanceof PermanentError ? new UsageError(error.message) : error;
}
