import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError, RetryableError, messageOf } from '../../../shared/core/errors.ts';
import type { Exec } from '../../../shared/tools/exec.ts';

/** A running `whisper-server` of whisper.cpp with a loaded model. It decodes one request at a time. */
export interface WhisperServer {
  /**
   * Decodes a WAV file (PCM s16le, mono, 16 kHz). An abort of `signal` closes the connection, which stops the decoding after the current
   * encoding. Because that takes seconds with a large model, the server is also stopped, unless it has other requests.
   * @throws ToolError or RetryableError `whisper-failed` if the server ended; it is started again at the next call.
   */
  decode(wav: Uint8Array<ArrayBuffer>, fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>;
}

/** Time until the server accepts requests, in milliseconds. A large model is read from a slow disk. */
const START_TIMEOUT_MS = 120_000;

const POLL_INTERVAL_MS = 20;

/** Time in which a server that closed a connection has ended, in milliseconds. */
const END_TIMEOUT_MS = 2_000;

/** Greedy decoding without the text of other windows and without language probabilities, which cost a second encoding. */
const SERVER_ARGS = ['--beam-size', '1', '--best-of', '1', '--no-language-probabilities'];

/** Waiting threads sleep. By default they spin, which doubles the processor time on a busy machine. */
const SERVER_ENV = { OMP_WAIT_POLICY: 'passive' };

interface RunningServer {
  readonly url: string;
  /** Rejects when the server ends. */
  readonly ended: Promise<never>;
  /** Ends the server within two seconds. */
  stop(): void;
}

/** Returns a server that is started at the first call of `decode`, because a model takes 150 MB and more. */
export function createWhisperServer(program: string, model: string, threads: number, exec: Exec): WhisperServer {
  let running: Promise<RunningServer> | undefined;
  let requests = 0;
  const start = (): Promise<RunningServer> => {
    running ??= startServer(program, model, threads, exec).then(
      (server) => {
        const own = running;
        server.ended.catch(() => {
          if (running === own) running = undefined;
        });
        return server;
      },
      (error: unknown) => {
        running = undefined;
        throw error;
      },
    );
    return running;
  };
  return {
    async decode(wav, fields, signal) {
      const { url, ended, stop } = await untilAbort(start(), signal);
      const form = new FormData();
      form.set('file', new Blob([wav]), 'window.wav');
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      const onAbort = (): void => {
        if (requests > 1) return;
        running = undefined;
        stop();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      requests += 1;
      try {
        const response = await fetch(url, { method: 'POST', body: form, signal });
        const text = await response.text();
        if (response.ok) return JSON.parse(text) as unknown;
        throw new PermanentError('tool-failed', `whisper-server rejected the audio of a clip: ${text.slice(0, 200)}`);
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof PermanentError) throw cause;
        // If the server ended, its error says why, such as the memory limit.
        await Promise.race([ended, sleep(END_TIMEOUT_MS)]);
        throw new RetryableError('whisper-failed', `whisper-server did not answer (${messageOf(cause)})`, { cause });
      } finally {
        requests -= 1;
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

/** Returns the value of a promise, unless the signal aborts before. */
function untilAbort<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([value, promise]).finally(() => {
    signal.removeEventListener('abort', onAbort);
  });
}

/** Returns the command of a server that does not outlive this process: on Linux the kernel kills it, in whatever way the process ends. */
export function serverCommand(program: string): { readonly command: string; readonly prefix: readonly string[] } {
  if (process.platform !== 'linux') return { command: program, prefix: [] };
  return { command: 'setpriv', prefix: ['--pdeathsig', 'KILL', '--', program] };
}

async function startServer(program: string, model: string, threads: number, exec: Exec): Promise<RunningServer> {
  const port = await findFreePort();
  const address = ['--host', '127.0.0.1', '--port', String(port)];
  const args = ['--model', model, '--threads', String(threads), ...SERVER_ARGS, ...address];
  const { command, prefix } = serverCommand(program);
  const stopping = new AbortController();
  const ended = exec(command, [...prefix, ...args], { name: 'whisper', env: SERVER_ENV, signal: stopping.signal }).then(() => {
    throw new RetryableError('whisper-failed', 'whisper-server ended');
  });
  ended.catch(() => undefined);
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([waitUntilReady(url, model), ended]);
  const stop = (): void => {
    stopping.abort(new RetryableError('whisper-failed', 'whisper-server was stopped'));
  };
  return { url: `${url}/inference`, ended, stop };
}

/** Polls the health of the server, because it buffers its output. */
async function waitUntilReady(url: string, model: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(POLL_INTERVAL_MS);
  }
  const sentence = `whisper-server was not ready within ${START_TIMEOUT_MS / 1_000} s with the model ${model}`;
  throw new RetryableError('whisper-failed', sentence);
}

/** Returns a free port: the server does not report the one that it would choose. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the port is not a number');
  return address.port;
}
