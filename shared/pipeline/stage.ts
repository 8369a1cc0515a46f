import type { Kind } from '../../schemas/kinds.ts';
import type { OptionMap, OptionSchemas, OptionValues } from '../core/options.ts';
import type { Exec } from '../tools/exec.ts';
import type { Logger } from '../observability/log.ts';
import type { Attributes, Indices } from './artifact.ts';

/** An object of the request, readable. */
export interface Source {
  readonly kind: Kind;
  /** Last part of the key, as the user or the stage named it. */
  readonly name: string;
  readonly indices: Indices;
  readonly attributes: Attributes;
  /** Bytes. */
  readonly size: number;
  /** Downloads the object into the item's own directory (once) and returns the path. @throws RetryableError when it changed meanwhile. */
  file(): Promise<string>;
  /** SHA-256 of the content, hexadecimal; known from the object's metadata, or worked out by reading it. */
  sha256(): Promise<string>;
  /** The object's content, parsed and checked against its kind's schema. @throws PermanentError `invalid-artifact`. */
  json(): Promise<unknown>;
}

/** One unit of a stage's work: the object that landed. */
export interface Item extends Source {
  /** Unique in the stage and request: `clip_0001`, or the kind's name where there is one. */
  readonly id: string;
  /** Another object of the same request, of a kind that the stage `reads`. @throws MissingError `missing-artifact`. */
  sibling(kind: Kind, indices?: Indices): Promise<Source>;
}

/** SHA-256 (hexadecimal) and size (bytes) of what was stored. */
export interface Digest {
  readonly sha256: string;
  readonly size: number;
}

/**
 * What a stage puts into the bucket. Each call returns when the object is stored and announced: put what others refer to
 * first, and let a manifest name the content (`sha256`) of what it refers to, so that equal manifests mean equal pictures.
 */
export interface Outputs {
  /** Stores a file. Indices and attributes not given are the item's own. */
  file(kind: Kind, path: string, about?: { indices?: Indices; attributes?: Attributes }): Promise<Digest>;
  /** Stores a JSON artifact, checked against its kind's schema first. */
  json(kind: Kind, value: object, about?: { indices?: Indices; attributes?: Attributes }): Promise<Digest>;
}

/** Everything that `run` may use. */
export interface StageContext<O, S, R> {
  /** The request's options that this stage declares, complete with defaults. */
  readonly options: O;
  /** The process's settings that this stage declares. */
  readonly settings: S;
  /** What `start` returned. */
  readonly resource: R;
  readonly outputs: Outputs;
  /** Runs a program in `dir`, killed with its process group when `signal` aborts. */
  readonly exec: Exec;
  readonly log: Logger;
  /** Aborts at the item's deadline, on cancel, and when the process must stop. */
  readonly signal: AbortSignal;
  /** A temporary directory of this item's own. */
  readonly dir: string;
  /** Records a model or engine in the item's receipt. */
  recordModel(name: string, version: string): void;
}

/** A stage: what it takes, what it makes, and how. Brokers, retries and uploads are the runtime's. */
export interface Stage<O extends OptionSchemas = OptionSchemas, S extends OptionSchemas = OptionSchemas, R = unknown> {
  readonly name: string;
  /** Raised whenever equal input may give other output, so that what older versions made is not taken for done. */
  readonly version: number;
  readonly consumes: Kind;
  readonly produces: readonly Kind[];
  /** Kinds of the same request that `run` reads beside its item, through `item.sibling`. The worker's rights and the memory of work done follow from it. */
  readonly reads?: readonly Kind[];
  /** What a request may choose, by name as in `fave-{name}` object metadata. Equal names must mean the same in every stage. */
  readonly options?: O;
  /** What an operator chooses for the process, from the environment: `whisper-model` is `FAVE_WHISPER_MODEL`. */
  readonly settings?: S;
  /** Loads once a process what every item needs, such as a model; runs before the first item. */
  start?(setup: { settings: OptionValues<S>; log: Logger }): Promise<R>;
  run(item: Item, context: StageContext<OptionValues<O>, OptionValues<S>, R>): Promise<void>;
}

/** A stage as the graph and the runtime see it: which values its options have is its own matter. */
export interface AnyStage extends Omit<Stage, 'start' | 'run'> {
  start?(setup: { settings: OptionMap; log: Logger }): Promise<unknown>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- stages with different options share one list
  run(item: Item, context: StageContext<any, any, any>): Promise<void>;
}

/** Types a stage; its value is the argument, unchanged. */
export function defineStage<const O extends OptionSchemas = {}, const S extends OptionSchemas = {}, R = undefined>(
  stage: Stage<O, S, R>,
): Stage<O, S, R> {
  return stage;
}
