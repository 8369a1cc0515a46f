import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { NotFoundError } from '../../shared/core/errors.ts';
import { exec as realExec } from './exec.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { itemId, pathOf } from '../../shared/pipeline/keys.ts';
import { createLogger } from '../../shared/observability/log.ts';
import { withDefaults, type OptionMap } from '../../shared/core/options.ts';
import type { Attributes, Indices } from '../../shared/pipeline/artifact.ts';
import { loadStage, type AnyStage, type Item, type Outputs, type Source } from '../../shared/pipeline/stage.ts';
import { digestFile } from '../../shared/store/store.ts';
import { validate, type SchemaName } from '../../shared/core/validate.ts';

/** A local file that represents an object of the bucket. */
export interface LocalObject {
  readonly kind: Kind;
  readonly path: string;
  readonly indices?: Indices;
  readonly attributes?: Attributes;
}

/** An output of a stage. */
export interface Output extends LocalObject {
  readonly indices: Indices;
  readonly attributes: Attributes;
  /** Key relative to `requests/{request_id}/`. */
  readonly key: string;
}

export interface Ran {
  readonly outputs: readonly Output[];
  /** Executed programs with arguments. */
  readonly executed: readonly { readonly command: string; readonly args: readonly string[] }[];
  /** Names and versions that the stage recorded with `recordModel`. */
  readonly used: Readonly<Record<string, string>>;
  of(kind: Kind): readonly Output[];
  json<T>(kind: Kind): Promise<T>;
}

export interface RunOptions {
  readonly siblings?: readonly LocalObject[];
  readonly options?: OptionMap;
  readonly settings?: OptionMap;
  readonly signal?: AbortSignal;
  /** Resource of the stage. Default: the one that the stage creates. */
  readonly resource?: unknown;
  /** Replaces the execution of programs. */
  readonly exec?: Exec;
}

/**
 * Runs a stage on local files like the runtime, without store and bus. Outputs are written to a temporary directory under their keys
 * and validated against their kind. The directory is removed at the end of the test.
 */
export async function runStageLocally(stage: AnyStage, item: LocalObject, given: RunOptions = {}): Promise<Ran> {
  const root = await mkdtemp(join(tmpdir(), 'fave-stage-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const dir = join(root, 'work');
  await mkdir(dir);

  const outputs: Output[] = [];
  const executed: { command: string; args: readonly string[] }[] = [];
  const used: Record<string, string> = {};
  const signal = given.signal ?? new AbortController().signal;
  const log = createLogger({ service: stage.name }, 'silent');
  const settings = withDefaults(stage.settings ?? {}, given.settings ?? {});
  const run = given.exec ?? realExec;

  const source = await sourceOf(item);
  const code = await loadStage(stage);
  await code.run(itemOf(source, given.siblings ?? []), {
    options: withDefaults(stage.options ?? {}, given.options ?? {}),
    settings,
    resource: given.resource ?? (await code.start?.({ settings, log, exec: realExec })),
    outputs: outputsInto(join(root, 'outputs'), stage, source, outputs),
    exec: (command, args, options) => {
      executed.push({ command, args });
      return run(command, args, { cwd: dir, signal, ...options });
    },
    log,
    signal,
    dir,
    recordModel: (name, version) => {
      used[name] = version;
    },
  });
  const of = (kind: Kind): readonly Output[] => outputs.filter((output) => output.kind === kind);
  return {
    outputs,
    executed,
    used,
    of,
    json: async <T>(kind: Kind) => JSON.parse(await readFile(of(kind)[0]!.path, 'utf8')) as T,
  };
}

async function sourceOf({ kind, path, indices = {}, attributes = {} }: LocalObject): Promise<Source> {
  const { size } = await stat(path);
  return {
    kind,
    name: basename(path),
    indices,
    attributes,
    size,
    file: () => Promise.resolve(path),
    sha256: async () => (await digestFile(path)).sha256,
    json: async () => checked(kind, JSON.parse(await readFile(path, 'utf8'))),
  };
}

function itemOf(source: Source, siblings: readonly LocalObject[]): Item {
  const sibling = async (kind: Kind, indices: Indices = source.indices): Promise<Source> => {
    const isAt = (own: Indices): boolean =>
      Object.entries(own).every(([name, value]) => indices[name as keyof Indices] === value);
    const found = siblings.find((each) => each.kind === kind && isAt(each.indices ?? {}));
    if (!found) throw new NotFoundError('missing-artifact', `the test gave no ${kind.name}`);
    return sourceOf(found);
  };
  return { ...source, id: itemId(source.kind, source.indices), sibling };
}

/** Copies outputs immediately, like an upload, because a stage may overwrite or remove a file after it is put. */
function outputsInto(root: string, stage: AnyStage, item: Source, made: Output[]): Outputs {
  type About = { indices?: Indices; attributes?: Attributes } | undefined;
  const place = async (kind: Kind, extension: string, about: About): Promise<Output> => {
    if (!stage.produces.includes(kind)) throw new Error(`${stage.name} does not say that it produces ${kind.name}`);
    const indices = about?.indices ?? item.indices;
    const key = pathOf(kind, { indices, extension });
    const path = join(root, key);
    await mkdir(dirname(path), { recursive: true });
    return { kind, key, path, indices, attributes: about?.attributes ?? item.attributes };
  };
  return {
    async file(kind, path, about) {
      const output = await place(kind, extname(path).slice(1), about);
      await copyFile(path, output.path);
      made.push(output);
      return digestFile(output.path);
    },
    shared: async (kind, compute) => {
      const value = await compute();
      return value && checked(kind, value);
    },
    async json(kind, value, about) {
      const output = await place(kind, 'json', about);
      await writeFile(output.path, JSON.stringify(checked(kind, value)));
      made.push(output);
      return digestFile(output.path);
    },
  };
}

function checked(kind: Kind, value: unknown): unknown {
  return kind.schema === undefined ? value : validate(kind.schema as SchemaName, value);
}

/** Returns a file as the input of a request. */
export function upload(path: string): LocalObject {
  return { kind: kinds.input, path };
}
