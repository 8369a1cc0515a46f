/**
 * Transcribes clips like a process of `stage-deepspeech`: `transcribe CLIPS.json [--no-warm-up]`, with the path, the start and the end of each
 * clip. `FAVE_WHISPER_MODEL` and `FAVE_WHISPER_SERVER` select the model and the program. A warm-up clip loads the model. Prints the transcripts,
 * the wall time and the processor time as JSON.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { concurrencyOf } from '../../../infra/deployment/services.ts';
import { listChildren, readTreeCpuTime } from '../../../loadgen/study/system/proc.ts';
import stage from '../../../services/stage-deepspeech/stage.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';
import { now } from '../../report/figures.ts';
import { startLocalStage } from '../local-stage.ts';

export interface Clip {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const [list = '', option] = process.argv.slice(2);
const clips = JSON.parse(await readFile(list, 'utf8')) as readonly Clip[];
const local = await startLocalStage(stage, {
  'whisper-model': process.env['FAVE_WHISPER_MODEL'] ?? '',
  'whisper-server': process.env['FAVE_WHISPER_SERVER'] ?? '',
});
const transcribe = ({ path, start, end }: Clip): Promise<object> => {
  const dir = join(dirname(list), randomUUID());
  return local.run({ indices: { clip: 1 }, attributes: { start, end }, file: () => Promise.resolve(path) }, dir);
};

for (const clip of option === '--no-warm-up' ? [] : clips.slice(0, 1)) await transcribe(clip);
const [began, used] = [now(), readTreeCpuTime(process.pid)];
const transcripts = await mapConcurrently(clips, transcribe, concurrencyOf(stage.name, cpus().length));
const figures = { wall_ms: now() - began, cpu_ms: readTreeCpuTime(process.pid) - used, transcripts };
for (const child of listChildren(process.pid)) process.kill(child); // a server of the engine
process.stdout.write(JSON.stringify(figures), () => process.exit());
