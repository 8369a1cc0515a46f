import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import { explainUnspoken } from '../../../services/stage-deepspeech/whisper/languages.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import { UsageError } from '../../../shared/core/errors.ts';
import type { OptionMap } from '../../../shared/core/options.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { isEnded, readState } from '../../../shared/requests/read-request.ts';
import { createRequestOptionParser } from '../../../shared/requests/request-options.ts';
import {
  createSubmission,
  findAdmittedInput,
  parseOptions,
  screenSubmission,
  uploadFile,
  type Submission,
} from '../../../shared/requests/submission.ts';
import type { Store } from '../../../shared/store/store.ts';
import { toJson, type CliContext } from '../../context/cli.ts';
import { findInstance, hasServerAddresses, withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatBytes } from '../../output/format.ts';
import { createProgressDisplay, type ProgressDisplay } from '../../output/progress-display.ts';
import { formatSummary, toSummary, type RequestSummary } from '../../output/request-summary.ts';
import { waitForRequest, warnWithoutEvents, type WaitOptions } from '../../output/wait-for-request.ts';

export interface SubmitOptions {
  readonly id?: string;
  readonly query?: string;
  readonly option: readonly string[];
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Uploads files, each as its own request. With `wait`, follows each request to its end. */
export async function submit(cli: CliContext, files: readonly string[], options: SubmitOptions): Promise<number> {
  const { id, query, option, wait = false, json = false } = options;
  if (id !== undefined && files.length > 1)
    throw new UsageError(`a request has one file: with --id, submit the ${files.length} files one by one, or omit --id`);
  const requestOptions = parseOptions(option, query, graph);
  await checkLanguage(cli, createRequestOptionParser(graph)(requestOptions));
  const submissions: Submission[] = [];
  for (const file of files) submissions.push(await createSubmission(file, cli.cwd, id ?? randomUUID()));

  const print = (summary: RequestSummary): void => {
    if (json) cli.stdout.line(toJson(summary));
    else formatSummary(summary, cli.stdout).forEach(cli.stdout.line);
  };
  return withStore(cli, async (store) => {
    const send = createSender(cli, store, requestOptions, id !== undefined);
    if (wait) return withBus(cli, (bus) => submitAndWait(cli, bus, submissions, send, print));
    const display = createProgressDisplay(cli.stderr);
    const summaries: RequestSummary[] = [];
    try {
      for (const submission of submissions)
        summaries.push(toSummary(submission.id, submission.file, (await send(submission, display)).ended));
    } finally {
      display.end();
    }
    summaries.forEach(print);
    if (summaries.some(({ status }) => status === 'rejected')) return exitCodes.failed;
    const watched = submissions.length === 1 ? (submissions[0]?.id ?? '') : '';
    if (!json) cli.stderr.line(cli.stderr.style('dim', `follow with: fave watch ${watched}`.trimEnd()));
    return exitCodes.ok;
  });
}

/** Refuses a language that the engine of the local instance does not recognise. @throws UsageError. */
async function checkLanguage(cli: CliContext, { speech = 'auto', language = 'auto' }: OptionMap): Promise<void> {
  const instance = hasServerAddresses(cli.env) ? undefined : await findInstance(cli);
  if (!instance || !['auto', 'whisper', 'whisper-node'].includes(String(speech))) return;
  const { whisperModel } = instance;
  const problem = explainUnspoken(String(language), whisperModel === undefined ? 'pocketsphinx' : basename(whisperModel));
  if (problem !== undefined) throw new UsageError(problem);
}

/**
 * Uploads one file. `same`: the identical input was admitted before under this id; `ended`: the state of its run if it has ended,
 * or the rejection of a file that the relay would not admit.
 */
type Send = (
  submission: Submission,
  display: ProgressDisplay,
) => Promise<{ readonly same?: boolean; readonly ended?: RequestState }>;

function createSender({ signal }: CliContext, store: Store, options: Record<string, string>, hasGivenId: boolean): Send {
  return async (submission, display) => {
    const { id, key, path, file, size } = submission;
    const admitted = hasGivenId ? await findAdmittedInput(store, submission, options, graph) : undefined;
    if (admitted && 'status' in admitted) return { ended: admitted };
    const refused = await screenSubmission(submission, graph);
    if (refused) return { ended: refused };
    const title = basename(file);
    display.note(title, `uploading ${formatBytes(size)}`);
    const onProgress = (sent: number): void => {
      display.note(title, `uploading ${formatBytes(sent)} of ${formatBytes(size)}`);
    };
    const { etag } = await uploadFile(store, key, path, { headers: encodeOptions(options), signal, onProgress });
    display.note(title, 'uploaded');
    if (admitted?.etag !== etag) return {};
    const state = await readState(store, id);
    return { same: true, ...(state && isEnded(state) && { ended: state }) };
  };
}

async function submitAndWait(
  cli: CliContext,
  bus: Bus,
  submissions: readonly Submission[],
  send: Send,
  print: (summary: RequestSummary) => void,
): Promise<number> {
  const display = createProgressDisplay(cli.stderr);
  const submitted: Submitted[] = [];
  try {
    for (const submission of submissions) submitted.push(await submitOne(cli, bus, submission, send, display));
    // All requests are followed concurrently and printed in the order of the arguments.
    const summaries = await Promise.all(submitted.map(({ summary }) => summary));
    display.end();
    summaries.forEach(print);
    return summaries.every(({ status }) => status === 'completed') ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    display.end();
    if (cli.signal.aborted) cli.stderr.line('interrupted: submitted requests continue (fave ls, fave watch ID)');
    throw error;
  } finally {
    await Promise.all(submitted.map(({ stop }) => stop()));
  }
}

/** A submitted request. `summary` is a field, because an async function would await a returned promise. */
interface Submitted {
  readonly summary: Promise<RequestSummary>;
  stop(): Promise<void>;
}

/** Uploads a file and follows its request. Returns after the upload. */
async function submitOne(
  cli: CliContext,
  bus: Bus,
  { id, file, ...rest }: Submission,
  send: Send,
  display: ProgressDisplay,
): Promise<Submitted> {
  let hasEvents = false;
  const onChange: WaitOptions['onChange'] = (progress, lines) => {
    hasEvents = true;
    display.update(basename(file), progress, lines());
  };
  const from = await nextSequence(bus);
  const { same = false, ended } = await send({ id, file, ...rest }, display);
  if (ended) return { summary: Promise.resolve(toSummary(id, file, ended)), stop: () => Promise.resolve() };
  // An input that was admitted before is not announced again; the events of its run may be in the past.
  const options = { signal: cli.signal, style: cli.stderr.style, onChange };
  const wait = await waitForRequest(bus, graph, id, same ? 1 : from, options);
  const cancelWarning = warnWithoutEvents(() => hasEvents, cli.stderr);
  return {
    summary: wait.ended.then((end) => toSummary(id, file, end)).finally(cancelWarning),
    stop: async () => {
      cancelWarning();
      await wait.stop();
    },
  };
}
