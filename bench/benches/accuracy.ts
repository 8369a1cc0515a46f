import { graph } from '../../services/pipeline.ts';
import { readResult } from '../../shared/results/result.ts';
import { prepareAccuracyMedia, type AccuracyMedium } from '../accuracy/media.ts';
import { scoreResult, type Score } from '../accuracy/score.ts';
import { assertBuilt, withInstance, type Instance } from '../instance/instance.ts';
import { measureCpu, startProcesses, type MeasuredProcess } from '../instance/processes.ts';
import { processRequest, readReceipts } from '../instance/requests.ts';
import { prepareWhisper } from '../instance/whisper.ts';
import type { Bench } from '../report/bench.ts';
import { atLeast, atMost, roundToMicro, type Target } from '../report/figures.ts';

/** Maximum word error rates by model. The limits of `base` also apply to other models. */
const MAX_WER: Readonly<Record<string, { readonly walk: number; readonly long: number }>> = {
  'tiny.en': { walk: 0.04, long: 0.06 },
  base: { walk: 0.01, long: 0.065 },
};

export const accuracy: Bench = {
  name: 'accuracy',
  about: 'words, times, speakers and objects that the pipeline finds in n runs of the test media, compared with the truth',
  n: 1,
  model: 'base',
  async run({ n, model = '', progress }) {
    assertBuilt();
    const env = await prepareWhisper(model, progress);
    return withInstance({ graph, env, progress }, async (instance) => {
      const processes = await startProcesses(instance);
      const media = await prepareAccuracyMedia(instance.dataDir);
      const runs: Record<string, Run[]> = {};
      for (let round = 0; round < n; round += 1)
        for (const medium of media) {
          const found = await measure(instance, medium, processes);
          (runs[medium.name] ??= []).push(found);
          progress(`${medium.name}: ${JSON.stringify(found.score)}`);
          progress(`${medium.name}: ${found.wall_s} s, processor ${found.cpu_s} s ${JSON.stringify(found.stages)}`);
        }
      return { targets: createTargets(runs, MAX_WER[model] ?? MAX_WER['base']), figures: { model, ...runs } };
    });
  },
};

/** Figures of one request, in seconds. */
interface Run {
  readonly score: Score;
  readonly wall_s: number;
  readonly cpu_s: number;
  /** Sum of the durations of a stage's items, and processor time of the stage with its tools, by service. */
  readonly stages: Readonly<Record<string, { readonly wall_s: number; readonly cpu_s: number }>>;
}

async function measure(instance: Instance, { path, truth }: AccuracyMedium, processes: readonly MeasuredProcess[]): Promise<Run> {
  const {
    result: { id, took },
    cpu,
  } = await measureCpu(processes, () => processRequest(instance, path));
  const receipts = Map.groupBy(await readReceipts(instance.store, id), ({ stage }) => stage);
  const seconds = (ms: number): number => roundToMicro(ms / 1_000);
  const stages = Object.entries(cpu).map(([name, cpu_s]) => {
    const wall = (receipts.get(name) ?? []).reduce((sum, { duration_ms }) => sum + duration_ms, 0);
    return [name, { wall_s: seconds(wall), cpu_s }] as const;
  });
  return {
    score: scoreResult(await readResult(instance.store, id), truth),
    wall_s: seconds(took),
    cpu_s: roundToMicro(Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0)),
    stages: Object.fromEntries(stages),
  };
}

function createTargets(runs: Readonly<Record<string, readonly Run[]>>, wer = { walk: 0, long: 0 }): Target[] {
  const worst = (of: (score: Score) => number, names = Object.keys(runs)): number =>
    Math.max(...names.flatMap((name) => runs[name] ?? []).map(({ score }) => of(score)));
  const [walk, long] = [['walk-and-talk.mp4'], ['long-5min.mp4']];
  return [
    atMost(
      'word error rate, long-5min',
      worst((score) => score.wer, long),
      wer.long,
    ),
    atMost(
      'word error rate, walk-and-talk',
      worst((score) => score.wer, walk),
      wer.walk,
    ),
    atMost(
      'invented utterances, all files',
      worst((score) => score.invented_utterances),
      0,
    ),
    atMost(
      'start of utterance, walk-and-talk, median error in s',
      worst((score) => score.start_error_s?.median ?? 0, walk),
      0.15,
    ),
    atMost(
      'start of utterance, walk-and-talk, greatest error in s',
      worst((score) => score.start_error_s?.max ?? 0, walk),
      0.4,
    ),
    atMost(
      'utterances of a wrong speaker, long-5min',
      worst((score) => score.utterances_of_wrong_speaker, long),
      0,
    ),
    atLeast('object precision, long-5min', -worst((score) => -score.objects.precision, long), 0.7),
    atLeast('object recall, long-5min', -worst((score) => -score.objects.recall, long), 0.7),
  ];
}
