import type { DeadLetter } from '../../schemas/generated/types.ts';
import type { Bus } from '../bus/connection.ts';
import { publishLifecycle } from '../bus/events.ts';
import { announce } from '../bus/landed-message.ts';
import { readStream } from '../bus/read-stream.ts';
import { streams, subjects } from '../bus/topology.ts';
import { codeOf, PermanentError } from '../core/errors.ts';
import { parseJson } from '../core/validate.ts';
import type { Graph } from '../pipeline/graph.ts';
import { undefinedIfInvalid } from '../bus/request-events.ts';
import { assertRequestId, itemId, parseKey } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { assertStage, readRequest } from './read-request.ts';
import { readLastRun, startRun } from './start-run.ts';

/** A dead letter with its stream sequence. */
export interface StoredDeadLetter extends DeadLetter {
  readonly seq: number;
}

/** Selects dead letters; an absent field selects all. */
export interface DeadLetterFilter {
  readonly stage?: string | undefined;
  readonly id?: string | undefined;
  /** Stream sequences; empty for all. */
  readonly seqs: readonly number[];
}

/**
 * Returns the selected dead letters, oldest first. Ignores messages that are not valid dead letters of their subject.
 * @throws UsageError for an invalid stage or id, PermanentError `unknown-dead-letter` for an unknown sequence.
 */
export async function readDeadLetters(
  bus: Bus,
  graph: Graph,
  { stage, id, seqs }: DeadLetterFilter,
): Promise<StoredDeadLetter[]> {
  if (stage !== undefined) assertStage(graph, stage);
  if (id !== undefined) assertRequestId(id);
  const found: StoredDeadLetter[] = [];
  const subject = subjects.deadLetter(stage ?? '*', id ?? '*');
  for await (const message of readStream(bus, { stream: streams.deadLetters, subject })) {
    const { sequence: seq, text } = message;
    if (seqs.length > 0 && !seqs.includes(seq)) continue;
    const deadLetter = undefinedIfInvalid(() => parseJson('deadLetter', text));
    if (deadLetter && isOfSubject(graph, deadLetter, message.subject)) found.push({ ...deadLetter, seq });
  }
  const missing = seqs.filter((seq) => !found.some((deadLetter) => deadLetter.seq === seq));
  if (missing.length === 0) return found;
  throw new PermanentError('unknown-dead-letter', `there is no dead letter ${missing.join(', ')}: list them with fave dlq ls`);
}

/**
 * Returns whether a dead letter is about an item of the stage and the request in its subject, to which the permissions of its
 * publisher apply. A redrive publishes the landed message with the permissions of an operator.
 */
function isOfSubject(graph: Graph, { stage, item, landed }: DeadLetter, subject: string): boolean {
  const { request_id: requestId, kind, key } = landed;
  const consumed = graph.stages.find(({ name }) => name === stage)?.consumes;
  const object = consumed && parseKey(key, [consumed]);
  return (
    subject === subjects.deadLetter(stage, requestId) &&
    kind === consumed?.name &&
    requestId === object?.requestId &&
    item === itemId(consumed, object.indices)
  );
}

/** Deletes dead letters from the stream. */
export async function deleteDeadLetters(bus: Bus, deadLetters: readonly StoredDeadLetter[]): Promise<void> {
  for (const { seq } of deadLetters) await bus.manager.streams.deleteMessage(streams.deadLetters, seq);
}

/** Groups dead letters by request, in the order in which they were written. */
export function groupByRequest(deadLetters: readonly StoredDeadLetter[]): Map<string, StoredDeadLetter[]> {
  const groups = new Map<string, StoredDeadLetter[]>();
  for (const deadLetter of deadLetters) {
    const { request_id: id } = deadLetter.landed;
    groups.set(id, [...(groups.get(id) ?? []), deadLetter]);
  }
  return groups;
}

/**
 * Sends the items of dead letters of one request to their stages again: in the open run or, if the request has ended, in a new
 * run that starts with them. Deletes each dead letter after its item's announcement is stored, so that an interruption loses none.
 * @returns The number of the run.
 * @throws PermanentError `object-replaced` if the object of an item has changed since (a replay helps then), `missing-object`.
 */
export async function redrive(
  bus: Bus,
  store: Store,
  graph: Graph,
  requestId: string,
  deadLetters: readonly StoredDeadLetter[],
): Promise<number> {
  for (const deadLetter of deadLetters) await assertUnchanged(store, deadLetter);
  const request = await readRequest(store, requestId);
  // A request whose events and state have expired has ended.
  const expired = { run: Math.max(...deadLetters.map(({ landed }) => landed.run)), ended: 'failed' } as const;
  let last = (await readLastRun(bus, store, requestId)) ?? expired;
  if (!last.ended) {
    for (const { landed, seq } of deadLetters)
      // The nonce makes the announcement of a dead letter unique, so that a repeated redrive announces it once.
      await announce(bus, store.bucket, { ...landed, run: last.run }, { nonce: `letter ${seq}` });
    await publishRedriven(bus, requestId, last.run, deadLetters);
    // The run may have ended before the event; it then does not wait for these items.
    last = (await readLastRun(bus, store, requestId)) ?? last;
  }
  const run = last.ended ? last.run + 1 : last.run;
  if (last.ended) {
    const initialObjects = [...new Map(deadLetters.map(({ landed }) => [landed.key, { ...landed, run }])).values()];
    await startRun(bus, store, graph, { requestId, run, request, options: request.options, initialObjects });
  }
  await deleteDeadLetters(bus, deadLetters);
  return run;
}

/** Maximum number of items in an event. It must fit into one message of the bus. */
const MAX_REDRIVEN = 1_000;

/** Publishes that the failures no longer count: the run stays open until their items are settled again. */
async function publishRedriven(
  bus: Bus,
  requestId: string,
  run: number,
  deadLetters: readonly StoredDeadLetter[],
): Promise<void> {
  const redriven = deadLetters.flatMap(({ stage, item, sequence }) =>
    sequence === undefined ? [] : [{ stage, item, sequence }],
  );
  for (let first = 0; first < redriven.length; first += MAX_REDRIVEN) {
    const state = {
      request_id: requestId,
      run,
      status: 'running',
      redriven: redriven.slice(first, first + MAX_REDRIVEN),
    } as const;
    await publishLifecycle(bus, 'fave', 'redriven', state, { distinct: JSON.stringify(state.redriven) });
  }
}

async function assertUnchanged(store: Store, { landed, seq }: StoredDeadLetter): Promise<void> {
  const { key, etag, version_id: versionId } = landed;
  try {
    if (await store.head(key, { etag, ...(versionId !== undefined && { versionId }) })) return;
  } catch (cause) {
    if (codeOf(cause) !== 'object-changed') throw cause;
    throw new PermanentError(
      'object-replaced',
      `${key} has changed since dead letter ${seq} was written: use fave replay, then fave dlq drop ${seq}`,
      { cause },
    );
  }
  throw new PermanentError('missing-object', `${key} was removed: delete the dead letter with fave dlq drop ${seq}`);
}
