import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** An event in a peer. The time is in ms, on the clock that all processes share. */
export interface Mark {
  readonly mark: string;
  readonly at: number;
  /** Object of the event, if a peer handles several objects concurrently. */
  readonly of?: string;
}

/** A child process of the benchmark that reports events. */
export interface Peer {
  readonly pid: number;
  /** Returns the next mark of a name; earlier marks are queued. @throws Error if the process exits first. */
  next(mark: string): Promise<Mark>;
  /** Returns all marks of a name. */
  all(mark: string): readonly Mark[];
  stop(): Promise<void>;
}

/** Time between SIGTERM and SIGKILL, in ms. */
const GRACE_MS = 10_000;

/** Starts `programs/{program}.ts` and waits for its mark `ready`. @param log Log file. @throws Error if the process exits first. */
export async function startPeer(program: string, args: readonly string[], env: NodeJS.ProcessEnv, log: string): Promise<Peer> {
  const output = openSync(log, 'a');
  const child = fork(join(import.meta.dirname, 'programs', `${program}.ts`), args, {
    env,
    stdio: ['ignore', output, 'inherit', 'ipc'],
  });
  closeSync(output);
  const marks = new Map<string, Mark[]>();
  const taken = new Map<string, number>();
  const arrived = new EventEmitter();
  const ended = new AbortController();
  const all = (name: string): Mark[] => marks.get(name) ?? [];
  child.on('message', (mark: Mark) => {
    const earlier = marks.get(mark.mark);
    if (earlier) earlier.push(mark);
    else marks.set(mark.mark, [mark]);
    arrived.emit('mark');
  });
  const exited = once(child, 'exit').then(() => {
    ended.abort(new Error(`${program} ${args.join(' ')} exited early; see ${log}`));
  });
  const next = async (name: string): Promise<Mark> => {
    const position = taken.get(name) ?? 0;
    taken.set(name, position + 1);
    for (;;) {
      const mark = all(name)[position];
      if (mark) return mark;
      ended.signal.throwIfAborted();
      await once(arrived, 'mark', { signal: ended.signal }).catch(() => undefined);
    }
  };
  await next('ready');
  return {
    pid: child.pid ?? 0,
    next,
    all,
    stop: async () => {
      const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(killer);
    },
  };
}
