import type { ItemError, LandedMessage, DeadLetter } from '../../schemas/generated/types.ts';
import type { Bus } from './connection.ts';
import { subjects } from './topology.ts';

/** An item that has failed for good, as whoever ends it knows it. */
export interface FailedItem {
  readonly stage: string;
  readonly item: string;
  readonly error: ItemError;
  readonly deliveries: number;
  /** Sequence in FAVE_LANDED of the message that brought the item. */
  readonly sequence: number;
  readonly landed: LandedMessage;
}

/** Keeps an item that has failed as a dead letter: one letter a message, however often its failure is told. */
export async function publishDeadLetter(bus: Bus, { error, ...rest }: FailedItem): Promise<void> {
  const letter: DeadLetter = { ...error, ...rest, failed_at: new Date().toISOString() };
  const { stage, item, landed, sequence = '' } = letter;
  const msgID = [landed.request_id, landed.run, stage, item, sequence].join('/');
  await bus.publish(subjects.deadLetter(stage, landed.request_id), letter, { msgID, traceparent: landed.traceparent });
}
