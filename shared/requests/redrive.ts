import type { DeadLetter } from '../../schemas/generated/types.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { Bus } from '../bus/connection.ts';
import { codeOf, PermanentError } from '../core/errors.ts';
import { publishLifecycle } from '../bus/events.ts';
import { announce } from '../bus/landed-message.ts';
import { beginRun, lastRun } from './start-run.ts';
import type { Store } from '../store/store.ts';
import { streams, subjects } from '../bus/topology.ts';
import { parseJson } from '../core/validate.ts';
import { readStream } from '../bus/read-stream.ts';
import { readRequest } from './read-request.ts';

/** A dead letter and where it lies in the stream. */
export interface StoredLetter extends DeadLetter {
  readonly seq: number;
}

/** Which letters a command is about; what is not given does not restrict. */
export interface DeadLetterFilter {
  readonly stage?: string | undefined;
  readonly id?: string | undefined;
  readonly seqs: readonly number[];
}

/**
 * Reads the letters that are chosen, oldest first. What is no letter is passed over.
 * @throws PermanentError `unknown-dead-letter` where a sequence is named that is none of them.
 */
export async function readLetters(bus: Bus, { stage = '*', id = '*', seqs }: DeadLetterFilter): Promise<StoredLetter[]> {
  const letters: StoredLetter[] = [];
  for await (const message of readStream(bus, streams.deadLetters, subjects.deadLetter(stage, id))) {
    if (seqs.length > 0 && !seqs.includes(message.seq)) continue;
    try {
      letters.push({ ...parseJson('deadLetter', message.string()), seq: message.seq });
    } catch (error) {
      if (codeOf(error) !== 'invalid-dead-letter') throw error;
    }
  }
  const missing = seqs.filter((seq) => !letters.some((letter) => letter.seq === seq));
  if (missing.length === 0) return letters;
  throw new PermanentError(
    'unknown-dead-letter',
    `there is no dead letter ${missing.join(', ')}: fave dlq ls lists those that there are`,
  );
}

export async function dropLetters(bus: Bus, letters: readonly StoredLetter[]): Promise<void> {
  for (const { seq } of letters) await bus.manager.streams.deleteMessage(streams.deadLetters, seq);
}

/** What became of letters of one request. */
export interface Redriven {
  readonly requestId: string;
  readonly run: number;
  readonly letters: readonly StoredLetter[];
}

/**
 * Gives the items of letters of one request to their stages again: in the open run, or in a new one that begins with them.
 * A letter is removed when the announcement of its item is stored, so that an interruption loses none.
 * @throws PermanentError `object-replaced` where an item is no longer what it was: a replay is what helps then.
 */
export async function redrive(
  bus: Bus,
  store: Store,
  graph: Graph,
  requestId: string,
  letters: readonly StoredLetter[],
): Promise<Redriven> {
  for (const letter of letters) await assertUnchanged(store, letter);
  const request = await readRequest(store, requestId);
  const announceIn = async (run: number): Promise<void> => {
    // Made new by the letter, so that it is announced once however often this is interrupted.
    for (const { landed, seq } of letters) await announce(bus, store.bucket, { ...landed, run }, { nonce: `letter ${seq}` });
  };
  // A request whose events and state have expired has ended long ago.
  let last = (await lastRun(bus, store, requestId)) ?? {
    run: Math.max(...letters.map(({ landed }) => landed.run)),
    ended: 'failed',
  };
  if (!last.ended) {
    await announceIn(last.run);
    await publishRedriven(bus, requestId, last.run, letters);
    // It may have ended meanwhile, and would not count what comes now.
    last = (await lastRun(bus, store, requestId)) ?? last;
  }
  const run = last.ended ? last.run + 1 : last.run;
  if (last.ended) {
    const begins = [...new Map(letters.map(({ landed }) => [landed.key, { ...landed, run }])).values()];
    await beginRun(bus, store, graph, { requestId, run, request, options: request.options, begins });
  }
  await dropLetters(bus, letters);
  return { requestId, run, letters };
}

/** Tells the tracker that the letters' failures no longer count: the run ends after their items have ended again. */
async function publishRedriven(bus: Bus, requestId: string, run: number, letters: readonly StoredLetter[]): Promise<void> {
  const redriven = letters.flatMap(({ stage, item, sequence }) => (sequence === undefined ? [] : [{ stage, item, sequence }]));
  const distinct = letters.map(({ seq }) => seq).join();
  await publishLifecycle(bus, 'fave', 'redriven', { request_id: requestId, run, status: 'running', redriven }, { distinct });
}

async function assertUnchanged(store: Store, { landed, seq }: StoredLetter): Promise<void> {
  const { key, etag, version_id: versionId } = landed;
  try {
    if (await store.head(key, { etag, ...(versionId !== undefined && { versionId }) })) return;
  } catch (cause) {
    if (codeOf(cause) !== 'object-changed') throw cause;
    throw new PermanentError(
      'object-replaced',
      `${key} was made again since letter ${seq} was written: use fave replay, and fave dlq drop ${seq}`,
      { cause },
    );
  }
  throw new PermanentError(
    'missing-object',
    `${key} is gone: nothing can be made of it; fave dlq drop ${seq} removes the letter`,
  );
}

/** Letters by request, each in the order in which they were written. */
export function byRequest(letters: readonly StoredLetter[]): Map<string, StoredLetter[]> {
  const groups = new Map<string, StoredLetter[]>();
  for (const letter of letters) groups.set(letter.landed.request_id, [...(groups.get(letter.landed.request_id) ?? []), letter]);
  return groups;
}
