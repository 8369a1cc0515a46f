import { access, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermanentError, codeOf } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { isPlausible, parseCtm } from './ctm.ts';
import type { TranscriptionResult, TranscriptionInput, TranscriptionEngine } from './engine.ts';
import type { Span } from './voice-activity.ts';

/** Length of the frames at which pocketsphinx cuts, in seconds. */
export const FRAME = 0.01;

/** Name of all files of a decoding. Control files are split at spaces, so it contains none. */
const NAME = 'pocketsphinx';

/** Creates the engine of CMU's recogniser with its US English model. It needs no download; about one word in three is wrong on clear speech. */
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
    transcribe: (input) => transcribe(model, input),
  };
}

/** Decodes all utterances in one process, so that the model is loaded once. */
async function transcribe(
  model: string,
  { wav, header, speech, language, exec, dir }: TranscriptionInput,
): Promise<TranscriptionResult> {
  if (language !== 'auto' && !/^en(-|$)/i.test(language))
    throw new PermanentError(
      'unsupported-language',
      `pocketsphinx supports English only, not "${language}"; set FAVE_WHISPER_MODEL to a multilingual whisper model, or omit the option language`,
    );
  await symlink(resolve(wav), join(dir, `${NAME}.wav`));
  await writeFile(join(dir, `${NAME}.ctl`), controlFile(speech));
  const { stderr } = await exec('pocketsphinx_batch', batchArgs(model, dir, header)).catch((error: unknown) => {
    throw codeOf(error) === 'tool-missing' ? missing(error) : error;
  });
  // It exits with 0 even if it could not open the audio file.
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

/** Returns the control file, one utterance per line: `{file} {first frame} {frame after the last} {index}`. */
export function controlFile(speech: readonly Span[]): string {
  const frame = (time: number): string => String(Math.round(time / FRAME));
  return speech.map(({ start, end }, i) => `${NAME} ${frame(start)} ${frame(end)} ${String(i)}\n`).join('');
}

/**
 * Returns the arguments of `pocketsphinx_batch`. It normalises each utterance by the mean of that utterance (`-cmn batch` of the
 * model). `pocketsphinx_continuous` adapts over time and misses the first seconds of a clip.
 * @param header Size of the header of the audio file, in bytes.
 */
export function batchArgs(model: string, dir: string, header: number): string[] {
  return [
    ...['-hmm', join(model, 'en-us'), '-lm', join(model, 'en-us.lm.bin'), '-dict', join(model, 'cmudict-en-us.dict')],
    ...['-adcin', 'yes', '-adchdr', String(header), '-cepdir', dir, '-cepext', '.wav'],
    ...['ctl', 'ctm', 'hyp'].flatMap((file) => [`-${file}`, join(dir, `${NAME}.${file}`)]),
    // Removed frames would shift the times of all later words.
    ...['-remove_silence', 'no'],
    // Limits of the search. On the 169 s of test speech from which they were chosen, CPU time falls from 0.28 to 0.19 s per
    // second of audio, and the word error rate is the same within chance (50.8 and 51.3 %, most errors in sonnets). 3000 does not
    // reduce CPU time, and raises the error rate of one recording of a speech in a hall from 18 to 82 %.
    ...['-maxhmmpf', '6000', '-maxwpf', '10'],
  ];
}

/** Returns the version of a Debian package for the receipt. */
async function readDebianVersion(name: string, exec: Exec): Promise<string> {
  return exec('dpkg-query', ['-W', '-f', '${Version}', name]).then(
    ({ stdout }) => stdout,
    () => 'unknown',
  );
}

function missing(cause: unknown): PermanentError {
  return new PermanentError(
    'no-speech-engine',
    'no speech recognition engine is installed; install the packages pocketsphinx and pocketsphinx-en-us, set FAVE_WHISPER_MODEL to a ggml model, or set the option speech to none',
    { cause },
  );
}
