import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import type { Store } from '../../../shared/store/store.ts';
import type { CliContext } from '../../context/cli.ts';
import { withBus, withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { nextSequence } from '../../../shared/bus/request-events.ts';
import { bytes, escapeControlCharacters } from '../../output/format.ts';
import { outcomeLines, outcomeOf, type RequestSummary } from '../../output/request-summary.ts';
import { findAdmittedInput } from '../../upload/find-admitted-input.ts';
import { assertRequestId, isEnded, stateOf } from '../../../shared/requests/read-request.ts';
import { parseOptions, submissionOf, type Submission } from '../../../shared/requests/submission.ts';
import { upload } from '../../upload/upload.ts';
import { createDisplay, waitForRequest, warnOfSilence, type Display } from '../../output/wait-for-request.ts';
import { UsageError } from '../../../shared/core/errors.ts';

export interface SubmitOptions {
  readonly id?: string;
  readonly query?: string;
  readonly option: readonly string[];
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Uploads files, each as a request of its own; with `wait`, follows each until its end. */
export async function submit(cli: CliContext, files: readonly string[], options: SubmitOptions): Promise<number> {
  const { id, query, option, wait = false, json = false } = options;
  if (id !== undefined) assertRequestId(id);
  if (id !== undefined && files.length > 1)
    throw new UsageError(
      `--id names one request, and a request has one file: submit the ${files.length} files one by one, or without --id`,
    );
  const chosen = parseOptions(option, query, graph.options);
  const submissions: Submission[] = [];
  for (const file of files) submissions.push(await submissionOf(file, cli.cwd, id ?? randomUUID()));

  const print = (outcome: RequestSummary): void => {
    if (json) cli.stdout.line(JSON.stringify(outcome));
    else outcomeLines(outcome, cli.stdout).forEach(cli.stdout.line);
  };
  return withStore(cli, async (store) => {
    const send = createSender(cli, store, chosen, id !== undefined);
    if (wait) return withBus(cli, (bus) => submitAndWait(cli, bus, submissions, send, print));
    const display = createDisplay(cli);
    const outcomes: RequestSummary[] = [];
    try {
      for (const submission of submissions)
        outcomes.push(outcomeOf(submission.id, submission.file, (await send(submission, display)).ended));
    } finally {
      display.end();
    }
    outcomes.forEach(print);
    if (outcomes.some(({ status }) => status === 'rejected')) return exitCodes.failed;
    if (!json)
      cli.stderr.line(
        cli.stderr.style(
          'dim',
          `follow with: fave watch ${submissions.length === 1 ? (submissions[0]?.id ?? '') : ''}`.trimEnd(),
        ),
      );
    return exitCodes.ok;
  });
}

/** Uploads one file and says what is known then: whether the very same was admitted under its id before, and how it ended if it has. */
type Send = (submission: Submission, display: Display) => Promise<{ readonly same?: boolean; readonly ended?: RequestState }>;

function createSender({ signal }: CliContext, store: Store, options: Record<string, string>, ownId: boolean): Send {
  return async (submission, display) => {
    const { key, path, file, size } = submission;
    const admitted = ownId ? await findAdmittedInput(store, submission, options) : undefined;
    if (admitted && 'status' in admitted) return { ended: admitted };
    const title = escapeControlCharacters(basename(file));
    display.note(title, `uploading ${bytes(size)}`);
    const onProgress = (arrived: number): void => {
      display.note(title, `uploading ${bytes(arrived)} of ${bytes(size)}`);
    };
    const { etag } = await upload(store, key, path, { headers: encodeOptions(options), signal, onProgress });
    display.note(title, 'uploaded');
    if (admitted?.etag !== etag) return {};
    const state = await stateOf(store, submission.id);
    return { same: true, ...(state && isEnded(state) && { ended: state }) };
  };
}

async function submitAndWait(
  cli: CliContext,
  bus: Bus,
  submissions: readonly Submission[],
  send: Send,
  print: (outcome: RequestSummary) => void,
): Promise<number> {
  const display = createDisplay(cli);
  const waiting: Following[] = [];
  try {
    for (const submission of submissions) waiting.push(await begin(cli, bus, submission, send, display));
    // All are followed at once; they are told in the order in which they were given.
    const outcomes = await Promise.all(waiting.map(({ outcome }) => outcome));
    display.end();
    outcomes.forEach(print);
    return outcomes.every(({ status }) => status === 'completed') ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    display.end();
    if (cli.signal.aborted) cli.stderr.line('interrupted: what was uploaded goes on (fave ls, fave watch ID)');
    throw error;
  } finally {
    await Promise.all(waiting.map(({ stop }) => stop()));
  }
}

/** A request on its way; an object, because an async function would wait for a bare promise. */
interface Following {
  readonly outcome: Promise<RequestSummary>;
  stop(): Promise<void>;
}

/** Follows a request from before its upload; returns when it is uploaded. */
async function begin(cli: CliContext, bus: Bus, submission: Submission, send: Send, display: Display): Promise<Following> {
  const { id, file } = submission;
  let heard = false;
  const changed: Parameters<typeof waitForRequest>[4]['changed'] = (progress, lines) => {
    heard = true;
    display.changed(escapeControlCharacters(basename(file)), progress, lines());
  };
  const from = await nextSequence(bus);
  const { same = false, ended } = await send(submission, display);
  if (ended) return { outcome: Promise.resolve(outcomeOf(id, file, ended)), stop: () => Promise.resolve() };
  // What was admitted before is not announced again: its end is in the past, or comes from the run that is under way.
  const waiting = await waitForRequest(bus, graph, id, same ? 1 : from, { signal: cli.signal, changed }, cli.stderr);
  const quiet = warnOfSilence(() => heard, cli);
  return {
    outcome: waiting.ended.then((end) => outcomeOf(id, file, end)).finally(quiet),
    stop: async () => {
      quiet();
      await waiting.stop();
    },
  };
}
