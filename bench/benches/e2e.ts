import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Receipt } from '../../schemas/generated/types.ts';
import { serviceNames } from '../../infra/deployment/services.ts';
import { kinds } from '../../schemas/kinds.ts';
import { graph } from '../../services/pipeline.ts';
import { requestPrefix } from '../../shared/pipeline/keys.ts';
import { digestFile } from '../../shared/store/store.ts';
import type { Bench } from '../report/bench.ts';
import { bundleProgram } from '../peers/bundle.ts';
import { atMost, median, now, roundToMicro, summarize } from '../report/figures.ts';
import { withInstance, type Instance } from '../instance/instance.ts';
import { prepareWhisper } from '../instance/whisper.ts';
import { findMedia, processRequest, readReceipts } from '../instance/requests.ts';
import type { Clip } from '../peers/programs/transcribe.ts';
import { planPhases, writeScript, type Job } from '../script/script.ts';

const run = promisify(execFile);

export const e2e: Bench = {
  name: 'e2e',
  about:
    'the warm pipeline compared with a script that runs the same commands with xargs; n alternating runs, with speech (Whisper) and without',
  n: 5,
  model: 'base',
  async run({ n, model = '', progress }) {
    const source = findMedia('walk-and-talk.mp4');
    const env = await prepareWhisper(model, progress);
    const programs = { compute: await bundleProgram('compute'), transcribe: await bundleProgram('transcribe') };
    return withInstance({ graph, services: serviceNames(graph), env, progress }, async (instance) => {
      const compare = async (speech: string) => {
        const { id } = await processRequest(instance, source, { speech });
        const phases = await scriptOf(instance, id, source, { ...programs, env });
        const dir = join(instance.dataDir, 'script');
        await runScript(phases, dir);
        await assertSameWork(await readReceipts(instance.store, id), dir);
        const pipeline: number[] = [];
        const script: number[] = [];
        for (let round = 0; round < n; round += 1) {
          pipeline.push((await processRequest(instance, source, { speech })).took);
          script.push(await runScript(phases, dir));
          progress(
            `speech ${speech}: pipeline ${Math.round(pipeline.at(-1) ?? 0)} ms, script ${Math.round(script.at(-1) ?? 0)} ms`,
          );
        }
        const ratios = pipeline.map((took, round) => took / (script[round] ?? 0));
        return {
          ratio: median(ratios),
          ratios: ratios.map(roundToMicro),
          pipeline: summarize(pipeline),
          script: summarize(script),
        };
      };
      const withSpeech = await compare('auto');
      const without = await compare('none');
      return {
        targets: [
          atMost('pipeline : script, with speech', withSpeech.ratio, 1.05),
          atMost('pipeline : script, without speech', without.ratio, 0.85),
        ],
        figures: { with_speech: withSpeech, without_speech: without },
      };
    });
  },
};

/** Programs that do the work of stages that run no tools, and the variables of the speech recogniser. */
interface Programs {
  readonly compute: string;
  readonly transcribe: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Creates shell jobs that do the same work as a request. */
async function scriptOf(
  { store, dataDir }: Instance,
  id: string,
  source: string,
  { compute, transcribe, env }: Programs,
): Promise<Job[][]> {
  const receipts = await readReceipts(store, id);
  const prefix = requestPrefix(id);
  const frames: Record<string, string> = {};
  const clips: Clip[] = [];
  for (const { stage, item, outputs, source: from, models } of receipts) {
    const manifest = outputs.find(({ kind }) => kind === kinds.frames.name);
    if (manifest) frames[item] = (await store.getText(prefix + manifest.key))?.text ?? '';
    // A stage that ran no model, because the request disables speech, does nothing in the script either.
    if (stage !== 'stage-deepspeech' || !Object.keys(models).some((name) => name.startsWith('whisper'))) continue;
    const path = join(dataDir, `${item}.wav`);
    await store.download(prefix + from.key, path);
    const [transcript] = outputs.filter(({ kind }) => kind === kinds.transcript.name);
    clips.push({ path, start: Number(transcript?.attributes['start']), end: Number(transcript?.attributes['end']) });
  }
  const node = (...args: string[]): string[] => [process.execPath, ...args];
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return planPhases(receipts, {
    source,
    clips,
    frames,
    librosa: (audio) => node(compute, 'librosa', audio),
    detector: (folders) => node(compute, 'detector', ...folders),
    speech: (list) => ['env', ...variables, ...node(transcribe, list, '--no-warm-up')],
  });
}

/** Compares the videos and frames of the script with those of the pipeline. @throws Error if any differ. */
async function assertSameWork(receipts: readonly Receipt[], dir: string): Promise<void> {
  for (const { outputs, item } of receipts.filter(({ stage }) => stage === 'stage-ffmpeg-3')) {
    for (const { key, sha256 } of outputs) {
      const path = join(dir, 'pictures', String(Number(item.slice('clip_'.length))), basename(key));
      if ((await digestFile(path)).sha256 !== sha256) throw new Error(`the script created a different ${key}`);
    }
  }
}

/** Runs the script and returns its duration, in ms. */
async function runScript(phases: readonly (readonly Job[])[], dir: string): Promise<number> {
  await rm(dir, { recursive: true, force: true });
  await writeScript(phases, dir, cpus().length);
  const begun = now();
  await run('sh', [join(dir, 'run.sh')]);
  return now() - begun;
}
