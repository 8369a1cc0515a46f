/** An open loop: requests are sent at planned times, independent of the target's responses. Times are in seconds from the start. */
export interface OpenLoop {
  readonly times: readonly number[];
  readonly duration: number;
}

/** A closed loop: each user sends a request, waits for its end and pauses. `think` and `duration` are in seconds. */
export interface ClosedLoop {
  readonly users: number;
  readonly think: number;
  readonly duration: number;
}
