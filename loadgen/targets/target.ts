import type { RequestEvent } from '../../shared/bus/request-events.ts';
import type { Video } from '../arrivals/mix.ts';

/** A request that is to be sent. */
export interface OutgoingRequest {
  readonly id: string;
  readonly video: Video;
}

/** What a load is sent to. */
export interface Target {
  /** Begins to listen; call it before the first {@link send}. @param failed Called when nothing more will be heard. */
  open(take: (event: RequestEvent) => void, failed: (error: unknown) => void): Promise<void>;
  /** Uploads a request; resolves when the target has confirmed it. */
  send(sending: OutgoingRequest, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
