import type { DeadLetter, ItemError, LandedMessage } from '../../schemas/generated/types.ts';
import type { Bus } from './connection.ts';
import { subjects } from './topology.ts';

export interface FailedItem {
  readonly stage: string;
  readonly item: string;
  readonly error: ItemError;
  readonly deliveries: number;
  /** Sequence of the landed message in FAVE_LANDED. */
  readonly sequence: number;
  readonly landed: LandedMessage;
}

/** Publishes the dead letter of a failed item. Repeated calls for the same landed message store one dead letter. */
export async function publishDeadLetter(bus: Bus, { error, ...failed }: FailedItem): Promise<void> {
  const deadLetter: DeadLetter = { ...error, ...failed, failed_at: new Date().toISOString() };
  const { stage, item, landed, sequence = '' } = deadLetter;
  const msgID = [landed.request_id, landed.run, stage, item, sequence].join('/');
  await bus.publish(subjects.deadLetter(stage, landed.request_id), deadLetter, { msgID, traceparent: landed.traceparent });
}
