import { access, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermanentError, codeOf } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { isPlausible, parseCtm } from './ctm.ts';
import type { TranscriptionResult, TranscriptionInput, TranscriptionEngine } from './engine.ts';
import { FRAME, type Span } from './voice-activity.ts';

/** Name of all files of one decoding: a control file is split at spaces, so the sound gets a name without. */
const NAME = 'pocketsphinx';

/** CMU's recogniser with its US English model: offline, no download, about one word in three wrong on clear speech. */
export async function createPocketsphinx(model: string, exec: Exec): Promise<TranscriptionEngine> {
  await access(join(model, 'en-us.lm.bin')).catch((cause: unknown) => {
    throw missing(cause);
  });
  const version = await readDebianVersion('pocketsphinx', exec);
  return {
    name: 'pocketsphinx',
    version,
    model: 'en-us',
    modelVersion: await readDebianVersion('pocketsphinx-en-us', exec),
    transcribe: (listening) => transcribe(model, listening),
  };
}

/** One decoding of all utterances in one process: the model is loaded once. */
async function transcribe(
  model: string,
  { wav, header, speech, language, exec, dir }: TranscriptionInput,
): Promise<TranscriptionResult> {
  if (language !== 'auto' && !/^en(-|$)/i.test(language))
    throw new PermanentError(
      'unsupported-language',
      `pocketsphinx understands English only, not "${language}". Set FAVE_WHISPER_MODEL to a multilingual whisper model, or leave the language out.`,
    );
  await symlink(resolve(wav), join(dir, `${NAME}.wav`));
  await writeFile(join(dir, `${NAME}.ctl`), controlFile(speech));
  const { stderr } = await exec('pocketsphinx_batch', batchArgs(model, dir, header)).catch((error: unknown) => {
    throw codeOf(error) === 'tool-missing' ? missing(error) : error;
  });
  // It exits with 0 even where it could not open the sound.
  const done = (await readFile(join(dir, `${NAME}.hyp`), 'utf8')).split('\n').length - 1;
  if (done < speech.length)
    throw new PermanentError('tool-failed', `pocketsphinx decoded ${String(done)} of ${String(speech.length)} utterances`, {
      stderr,
    });
  return {
    language: 'en-US',
    utterances: parseCtm(await readFile(join(dir, `${NAME}.ctm`), 'utf8'), speech).filter(isPlausible),
  };
}

/** A line an utterance: `{file} {first frame} {frame after the last} {index}`. */
export function controlFile(speech: readonly Span[]): string {
  const frame = (time: number): string => String(Math.round(time / FRAME));
  return speech.map(({ start, end }, i) => `${NAME} ${frame(start)} ${frame(end)} ${String(i)}\n`).join('');
}

/**
 * Arguments of `pocketsphinx_batch`. It normalises each utterance by its own mean (`-cmn batch` of the model), where
 * `pocketsphinx_continuous` adapts as it listens and misses the first seconds of a clip.
 * @param header - bytes before the first sample
 */
export function batchArgs(model: string, dir: string, header: number): string[] {
  return [
    ...['-hmm', join(model, 'en-us'), '-lm', join(model, 'en-us.lm.bin'), '-dict', join(model, 'cmudict-en-us.dict')],
    ...['-adcin', 'yes', '-adchdr', String(header), '-cepdir', dir, '-cepext', '.wav'],
    ...['ctl', 'ctm', 'hyp'].flatMap((file) => [`-${file}`, join(dir, `${NAME}.${file}`)]),
    // Frames that it removed would be missing from the times of all later words.
    ...['-remove_silence', 'no'],
    // Limits on what is searched at once. On 169 s of test speech, from which they were also chosen: 0.19 instead of 0.28 CPU
    // seconds a second, 50.8 instead of 51.3 % of words wrong, most of them in sonnets; that difference is chance. With 3000
    // nothing is gained, and one of two copies of a speech in a hall comes out with 82 instead of 18 % wrong.
    ...['-maxhmmpf', '6000', '-maxwpf', '10'],
  ];
}

/** A package's version as its receipt names it. */
async function readDebianVersion(name: string, exec: Exec): Promise<string> {
  return exec('dpkg-query', ['-W', '-f', '${Version}', name]).then(
    ({ stdout }) => stdout,
    () => 'unknown',
  );
}

function missing(cause: unknown): PermanentError {
  return new PermanentError(
    'no-speech-engine',
    'No speech recognition is installed. Install the packages pocketsphinx and pocketsphinx-en-us, or set FAVE_WHISPER_MODEL to a ggml model, or ask for speech "none".',
    { cause },
  );
}
