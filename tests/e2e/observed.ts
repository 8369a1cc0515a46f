import { basename } from 'node:path';
import type { LandedMessage, RequestState, ItemEvent } from '../../schemas/generated/types.ts';
import { graph } from '../../services/pipeline.ts';
import { parseKey } from '../../shared/pipeline/keys.ts';
import { digestFile } from '../../shared/store/store.ts';
import { validate, type SchemaName } from '../../shared/core/validate.ts';
import type { Stack } from '../support/stack.ts';

/** All events about requests since the start of a test, checked against the schemas on receipt. */
export interface Observed {
  readonly landed: LandedMessage[];
  readonly progress: ItemEvent[];
  readonly lifecycle: RequestState[];
  /** Invalid events. */
  readonly wrong: string[];
  /** Resolves at a request's end. @throws Error when it does not end in time. */
  end(requestId: string, seconds: number): Promise<RequestState>;
  /** Is called at each item that is settled. */
  settled?: (progress: ItemEvent) => void;
}

const MOST_BYTES = 100_000;

export async function observe({ bus }: Stack): Promise<Observed> {
  const waiting = new Set<() => void>();
  const ids = new Set<string>();
  const observed: Observed = {
    landed: [],
    progress: [],
    lifecycle: [],
    wrong: [],
    end: (requestId, seconds) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const end = observed.lifecycle.find(
            ({ request_id, status }) => request_id === requestId && ['completed', 'failed', 'rejected'].includes(status),
          );
          if (!end) return;
          waiting.delete(look);
          clearTimeout(timer);
          resolve(end);
        };
        const timer = setTimeout(() => {
          const settled = observed.progress
            .filter(({ request_id }) => request_id === requestId)
            .map(({ stage, item, outcome }) => `${stage} ${item} ${outcome}`);
          reject(new Error(`${requestId} did not end within ${seconds} s; settled: ${settled.join(', ')}`));
        }, seconds * 1_000);
        waiting.add(look);
        look();
      }),
  };
  const take = (subject: string, text: string): void => {
    if (text.length > MOST_BYTES) observed.wrong.push(`${subject} has ${text.length} bytes`);
    const value: unknown = JSON.parse(text);
    if (subject.startsWith('fave.landed.')) return void observed.landed.push(validate('landedMessage', value));
    const { id, data, subject: about } = validate('cloudEvent', value);
    // A rejection is published by both notification paths: it is received twice here and stored once.
    if (ids.has(id)) return;
    ids.add(id);
    if (subject.includes('.stage.')) observed.progress.push(validate('itemEvent', data));
    else observed.lifecycle.push(validate('requestState', data));
    if (about !== subject.split('.')[2]) observed.wrong.push(`${subject} is about ${String(about)}`);
    if (subject.includes('.stage.')) observed.settled?.(observed.progress.at(-1)!);
    for (const look of waiting) look();
  };
  for (const filter of ['fave.landed.>', 'fave.requests.>']) {
    bus.connection.subscribe(filter, {
      callback: (_, message) => {
        try {
          take(message.subject, message.string());
        } catch (error) {
          observed.wrong.push(`${message.subject}: ${String(error)}`);
        }
      },
    });
  }
  await bus.connection.flush();
  return observed;
}

/** Paths below the prefix of a request, of artifacts and of metadata. */
export interface Tree {
  /** SHA-256 by path, without `metadata/`. */
  readonly artifacts: Readonly<Record<string, string>>;
  readonly metadata: readonly string[];
  /** Artifacts that are JSON, checked against their schemas. */
  json<T>(kind: string): T[];
}

/** Reads all objects of a request. @throws Error for an unknown key, InvalidDataError for JSON that violates its schema. */
export async function readRequestTree({ store }: Stack, requestId: string, dir: string): Promise<Tree> {
  const artifacts: Record<string, string> = {};
  const metadata: string[] = [];
  const json: { kind: string; path: string; value: unknown }[] = [];
  const prefix = `requests/${requestId}/`;
  for await (const { key } of store.list(prefix)) {
    const path = key.slice(prefix.length);
    if (path.startsWith('metadata/')) {
      metadata.push(path);
      continue;
    }
    const parsed = parseKey(key, graph.kinds);
    if (!parsed) throw new Error(`${key} has no place in the tree`);
    const local = `${dir}/${basename(path)}`;
    await store.download(key, local);
    artifacts[path] = (await digestFile(local)).sha256;
    if (parsed.kind.schema === undefined) continue;
    json.push({
      kind: parsed.kind.name,
      path,
      value: validate(parsed.kind.schema as SchemaName, JSON.parse((await store.getText(key))!.text)),
    });
  }
  return {
    artifacts,
    metadata,
    json: <T>(kind: string) => json.filter((one) => one.kind === kind).map(({ value }) => value as T),
  };
}
