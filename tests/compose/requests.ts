import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { run } from '../support/docker/run.ts';
import { root } from '../../infra/process/paths.ts';
import { connectBus } from '../../shared/bus/connection.ts';
import { readConfig } from '../../shared/config/config.ts';
import { followStream } from '../../shared/bus/follow-stream.ts';
import { requestPrefix } from '../../shared/pipeline/keys.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import { streams } from '../../shared/bus/topology.ts';

const media = resolve(process.env['FAVE_TEST_MEDIA'] ?? join(root, '..', 'shared', 'media'));

/** Returns the path of a test video. */
export function findMedia(name: string): string {
  const path = join(media, name);
  assert(existsSync(path), `no test media in ${media}: set FAVE_TEST_MEDIA to their folder`);
  return path;
}

export interface Outcome {
  readonly time: string;
  readonly data: { readonly errors?: readonly unknown[] };
}

/** An operator on the host, with the credentials of `secrets/env` and the programs `mc` and `nats`. */
export interface OperatorSession {
  /** Uploads a video with memoization off, so that every stage runs. */
  submit(id: string, video: string): Promise<void>;
  /** Subscribes to a subject and resolves with its first message. Call it before the action that causes the message. */
  subscribe(subject: string): Promise<{ readonly message: Promise<string> }>;
  /** Waits for the `completed` event of a request, past or future. */
  outcome(id: string): Promise<Outcome>;
  /** Keys below a request's prefix. */
  artifacts(id: string): Promise<string[]>;
  read(id: string, path: string): Promise<string>;
  leave(): Promise<void>;
}

/** Timeout for a message, in milliseconds: redelivery takes `ack_wait`, and the machine may be busy. */
const MESSAGE_TIMEOUT_MS = 600_000;

export function createOperatorSession(
  access: Readonly<Record<string, string>>,
  programs: { mc: string; nats: string },
): OperatorSession {
  const config = readConfig(access);
  const store: Store = createStore(config.store);
  const listeners = new Set<ReturnType<typeof spawn>>();
  const subscribe: OperatorSession['subscribe'] = async (subject) => {
    const child = spawn(programs.nats, ['sub', '--count=1', subject], { env: { ...process.env, ...access } });
    listeners.add(child);
    const output = new EventEmitter();
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => output.emit('more', (text += part)));
    }
    const timer = setTimeout(() => child.kill(), MESSAGE_TIMEOUT_MS);
    const message = once(child, 'close').then(([code]) => {
      clearTimeout(timer);
      listeners.delete(child);
      assert.equal(code, 0, `no message on ${subject} within ${MESSAGE_TIMEOUT_MS / 1000} s: ${text}`);
      return text.split('\n').find((line) => line.startsWith('{')) ?? '';
    });
    message.catch(() => undefined); // reported where it is awaited
    while (!text.includes('Subscribing ')) await Promise.race([once(output, 'more'), message]);
    return { message };
  };
  return {
    submit: async (id, video) => {
      const target = `fave/${config.store.bucket}/${requestPrefix(id)}input/${basename(video)}`;
      await run(programs.mc, ['--quiet', 'cp', '--attr', 'fave-memo=false', video, target], { env: access });
    },
    subscribe,
    outcome: async (id) => {
      const bus = await connectBus(config.bus, 'test');
      const subject = `fave.requests.${id}.completed`;
      let timer: NodeJS.Timeout | undefined;
      const found = new Promise<Outcome>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`no message on ${subject} within ${MESSAGE_TIMEOUT_MS / 1000} s`)),
          MESSAGE_TIMEOUT_MS,
        );
        followStream(bus, { stream: streams.requests, subject }, (message) => resolve(JSON.parse(message.text))).catch(reject);
      });
      return found.finally(() => {
        clearTimeout(timer);
        return bus.close();
      });
    },
    artifacts: async (id) => {
      const prefix = requestPrefix(id);
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) keys.push(key.slice(prefix.length));
      return keys;
    },
    read: async (id, path) => {
      const found = await store.getText(`${requestPrefix(id)}${path}`);
      assert(found, `${id} has no ${path}`);
      return found.text;
    },
    leave: async () => {
      for (const child of listeners) child.kill();
      store.close();
      return Promise.resolve();
    },
  };
}
