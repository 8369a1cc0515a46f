import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Segments, Transcript } from '../../schemas/generated/types.ts';
import { mergeTimeline } from '../../shared/results/timeline.ts';
import { readMedium } from '../accuracy/media.ts';
import { scoreResult, type Truth } from '../accuracy/score.ts';
import { prepareWhisper } from '../instance/whisper.ts';
import { bundleProgram } from '../peers/bundle.ts';
import { ensureFasterWhisper } from '../peers/faster-whisper.ts';
import type { Clip } from '../peers/programs/transcribe.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, roundToMicro, summarize } from '../report/figures.ts';

export const speech: Bench = {
  name: 'speech',
  about:
    'stage-deepspeech compared with faster-whisper (int8, voice activity detection) on the same model and file; n alternating runs',
  n: 3,
  model: 'base',
  async run({ n, model = '', progress }) {
    const medium = await readMedium('long-5min.mp4');
    const dir = await mkdtemp(join(tmpdir(), 'fave-bench-'));
    try {
      const peer = await ensureFasterWhisper(model, progress);
      const env = await prepareWhisper(model, progress);
      const stage = await prepareStage(medium.path, dir);
      const script = join(import.meta.dirname, '../peers/programs/transcribe.py');
      const runs: Record<'stage' | 'faster_whisper', Run[]> = { stage: [], faster_whisper: [] };
      for (let round = 0; round < n; round += 1) {
        const own = await runProgram(process.execPath, stage, env);
        const transcripts = own['transcripts'] as Transcript[];
        runs.stage.push(toRun(own, mergeTimeline({ transcripts, detections: [] }).utterances, medium.truth));
        const other = await runProgram(peer.python, [script, peer.model, join(dir, 'speech.wav'), String(cpus().length)]);
        runs.faster_whisper.push(toRun(other, other['utterances'] as Utterances, medium.truth));
        progress(`stage ${JSON.stringify(runs.stage.at(-1))}, faster-whisper ${JSON.stringify(runs.faster_whisper.at(-1))}`);
      }
      const ratio = (of: (run: Run) => number): number =>
        median(runs.stage.map((run, round) => of(run) / of(runs.faster_whisper[round] ?? run)));
      const wer = (of: readonly Run[]): number => Math.max(...of.map((run) => run.wer));
      const figures = (of: readonly Run[]): object => ({
        wall: summarize(of.map(({ wall }) => wall)),
        cpu: summarize(of.map(({ cpu }) => cpu)),
        wer: wer(of),
      });
      return {
        targets: [
          atMost(
            `wall time, stage : faster-whisper, ${model}`,
            ratio(({ wall }) => wall),
            1.1,
          ),
          atMost(`word error rate, ${model}`, wer(runs.stage), wer(runs.faster_whisper)),
        ],
        figures: {
          model,
          wall_ratio: roundToMicro(ratio(({ wall }) => wall)),
          cpu_ratio: roundToMicro(ratio(({ cpu }) => cpu)),
          stage: figures(runs.stage),
          faster_whisper: figures(runs.faster_whisper),
        },
      };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

type Utterances = Parameters<typeof scoreResult>[0]['utterances'];

/** One transcription; times in ms. */
interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly wer: number;
}

function toRun(figures: Readonly<Record<string, unknown>>, utterances: Utterances, truth: Truth): Run {
  const { wer } = scoreResult({ utterances, objects: [] }, truth);
  return { wall: Math.round(figures['wall_ms'] as number), cpu: Math.round(figures['cpu_ms'] as number), wer };
}

/** Cuts the file into clips as the pipeline does. @returns Arguments of Node.js that transcribe the clips. */
async function prepareStage(source: string, dir: string): Promise<string[]> {
  const extract = (path: string, rate: number, ...cut: string[]): Promise<unknown> =>
    run('ffmpeg', [
      '-nostdin',
      '-loglevel',
      'error',
      ...cut,
      '-i',
      source,
      '-vn',
      '-ac',
      '1',
      '-ar',
      String(rate),
      join(dir, path),
    ]);
  await extract('audio.wav', 22_050);
  await extract('speech.wav', 16_000);
  const [compute, transcribe] = [await bundleProgram('compute'), await bundleProgram('transcribe')];
  await run(process.execPath, [compute, 'librosa', 'audio.wav'], { cwd: dir });
  const segments = JSON.parse(await readFile(join(dir, 'work-audio.wav', 'result.json'), 'utf8')) as Segments;
  const clips: Clip[] = [];
  for (const [n, { start, end }] of segments.clips.entries()) {
    await extract(`${n}.wav`, 16_000, '-ss', String(start), '-to', String(end));
    clips.push({ path: join(dir, `${n}.wav`), start, end });
  }
  await writeFile(join(dir, 'clips.json'), JSON.stringify(clips));
  return [transcribe, join(dir, 'clips.json')];
}

const run = promisify(execFile);

async function runProgram(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  // faster-whisper also contains ONNX Runtime, which otherwise sends usage data.
  const env = { ...process.env, ...variables, ORT_DISABLE_TELEMETRY: '1' };
  const { stdout } = await run(command, args, { env, maxBuffer: 64 * 1_024 * 1_024 });
  return JSON.parse(stdout) as Record<string, unknown>;
}
