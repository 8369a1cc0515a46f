import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Something that happened in a peer, on the clock that all processes share (milliseconds). */
export interface Mark {
  readonly mark: string;
  readonly at: number;
  /** What it happened to, where a peer handles several things at once. */
  readonly of?: string;
}

/** A process of the benchmark's own that tells what happens in it. */
export interface Peer {
  readonly pid: number;
  /** The next mark of a name; those that came since the last call wait. @throws Error when the process ends first. */
  next(mark: string): Promise<Mark>;
  /** All marks of a name so far. */
  all(mark: string): readonly Mark[];
  stop(): Promise<void>;
}

/** Milliseconds after which a peer that was told to stop is killed. */
const GRACE = 10_000;

/** Starts `peers/{program}.ts` and waits for its mark `ready`. @param log File for its output. @throws Error when it ends before. */
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
    const known = marks.get(mark.mark);
    if (known) known.push(mark);
    else marks.set(mark.mark, [mark]);
    arrived.emit('mark');
  });
  const exited = once(child, 'exit').then(() => {
    ended.abort(new Error(`${program} ${args.join(' ')} ended too early; its log: ${log}`));
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
      const killer = setTimeout(() => child.kill('SIGKILL'), GRACE);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(killer);
    },
  };
}
