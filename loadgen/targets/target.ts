import type { RequestEvent } from '../../shared/bus/request-events.ts';
import type { Video } from '../arrivals/mix.ts';

/** A request to send. */
export interface OutgoingRequest {
  readonly id: string;
  readonly video: Video;
}

/** The system that receives a load. */
export interface Target {
  /** Subscribes to request events; must precede the first {@link send}. @param failed Called when the subscription has ended with an error. */
  open(take: (event: RequestEvent) => void, failed: (error: unknown) => void): Promise<void>;
  /** Uploads a request; resolves after the target has confirmed it. */
  send(sending: OutgoingRequest, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
