import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../../../shared/bus/connection.ts';
import { requestPrefix } from '../../../shared/pipeline/keys.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { digestFile, type Store } from '../../../shared/store/store.ts';
import { streams, subjects } from '../../../shared/bus/topology.ts';
import type { Random } from '../../../shared/core/random.ts';

/** An upload that the store has confirmed. */
export interface Sent {
  readonly id: string;
  readonly video: string;
  /** Whether results of other requests may be reused. */
  readonly memo: boolean;
}

/** Terminal events of a run, except cancellation, which is not used. */
export const ENDS = ['completed', 'failed'] as const;

export interface Load {
  readonly sent: readonly Sent[];
  /** Uploads a video, with retries until the store confirms it. @param options Further options of the request. */
  submit(video: string, memo: boolean, options?: Readonly<Record<string, string>>): Promise<Sent>;
  /** Keeps `open` requests running until `signal` aborts. */
  keep(open: number, signal: AbortSignal): Promise<void>;
  /** Waits for the end of a request. @returns False if `signal` aborts first. */
  ended(id: string, signal: AbortSignal): Promise<boolean>;
}

/** Polling interval for the end of a request, in ms. */
const LOOK = 1_000;

/** One in this many requests may reuse results. */
const MEMO = 5;

export function createLoad({ store, bus }: { store: Store; bus: Bus }, videos: readonly string[], random: Random): Load {
  const sent: Sent[] = [];

  const submit: Load['submit'] = async (video, memo, options = {}) => {
    const id = `chaos-${randomUUID()}`;
    const headers = encodeOptions({ ...options, memo: String(memo) });
    const key = `${requestPrefix(id)}input/${basename(video)}`;
    await store.upload(key, { path: video, ...(await digestFile(video)) }, { headers, signal: new AbortController().signal });
    const one = { id, video, memo };
    sent.push(one);
    return one;
  };

  /** Polls, because a subscription would miss events while the server is down. */
  const ended = async (id: string, signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      for (const name of ENDS) {
        const ask = bus.manager.streams.getMessage(streams.requests, { last_by_subj: subjects.lifecycle(id, name) });
        if (await ask.catch(() => null)) return true;
      }
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
    return false;
  };

  const lane = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const { id } = await submit(random.pick(videos), random.next() < 1 / MEMO);
      await ended(id, signal);
    }
  };
  return {
    sent,
    submit,
    ended,
    keep: async (open, signal) => void (await Promise.all(Array.from({ length: open }, () => lane(signal)))),
  };
}
