import type { Kind } from '../../schemas/kinds.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import type { OptionMap, OptionSchemas, OptionValues } from '../core/options.ts';
import type { Logger } from '../observability/log.ts';
import type { Exec } from '../tools/exec.ts';
import type { Attributes, Indices } from './artifact.ts';

/** A readable object of the request. */
export interface Source {
  readonly kind: Kind;
  /** Last segment of the key: the name of the user's file, or the fixed name in the kind's key pattern. */
  readonly name: string;
  readonly indices: Indices;
  readonly attributes: Attributes;
  /** Bytes. */
  readonly size: number;
  /** Downloads the object into the working directory on the first call and returns its path. @throws RetryableError if the object has changed since it was announced. */
  file(): Promise<string>;
  /** Returns the SHA-256 of the content, hexadecimal: from the object's metadata, or computed from the content. */
  sha256(): Promise<string>;
  /** Returns the content, parsed and checked against the kind's schema. @throws InvalidDataError. */
  json(): Promise<unknown>;
}

/** One unit of a stage's work: the object whose landed message the worker received. */
export interface Item extends Source {
  /** Unique within stage and request: `clip_0001`, or the name of the kind if a request has only one. */
  readonly id: string;
  /** Returns another object of the same request, of a kind that the stage `reads`. @throws NotFoundError `missing-artifact`. */
  sibling(kind: Kind, indices?: Indices): Promise<Source>;
}

/** SHA-256 (hexadecimal) and size (bytes) of a stored object. */
export interface Digest {
  readonly sha256: string;
  readonly size: number;
}

/**
 * Stores the outputs of an item. Each call returns when the object is stored and announced. Store objects before the manifest
 * that refers to them, and let the manifest contain their `sha256`: equal manifests then mean equal content.
 */
export interface Outputs {
  /** Stores a file. Indices and attributes default to those of the item. */
  file(kind: Kind, path: string, about?: { indices?: Indices; attributes?: Attributes }): Promise<Digest>;
  /**
   * Returns a JSON value that all items of the request share: the stored one, or else that of `compute`, which is stored unless
   * another item was faster. A value that is undefined is not stored.
   */
  shared(kind: Kind, compute: () => Promise<object | undefined>): Promise<unknown>;
  /** Checks a JSON value against the kind's schema and stores it. */
  json(kind: Kind, value: object, about?: { indices?: Indices; attributes?: Attributes }): Promise<Digest>;
}

/** Everything that `run` may use: `O` and `S` are the values of the stage's options and settings, `R` is the result of `start`. */
export interface StageContext<O = unknown, S = unknown, R = unknown> {
  /** Options of the request that the stage declares, with defaults. */
  readonly options: O;
  /** Settings of the process that the stage declares, with defaults. */
  readonly settings: S;
  /** The value that `start` returned. */
  readonly resource: R;
  readonly outputs: Outputs;
  /** Runs a program in `dir`. An abort of `signal` kills its process group. */
  readonly exec: Exec;
  readonly log: Logger;
  /** Aborts at the item's deadline, on cancellation, and when the process must stop. */
  readonly signal: AbortSignal;
  /** Temporary directory of this attempt. */
  readonly dir: string;
  /** Records a model or engine in the item's receipt. */
  recordModel(name: string, version: string): void;
}

export interface StageSetup<S = unknown> {
  readonly settings: S;
  readonly log: Logger;
  /** Runs a program that does not belong to an item. */
  readonly exec: Exec;
}

/** The first bytes of an upload. */
export interface UploadHead {
  /** Name of the file. */
  readonly name: string;
  readonly head: Uint8Array;
}

/** Why an upload is not admitted as the input of its request. The request remains open for another upload. */
export interface Refusal {
  /** `ignored`: an object that often accompanies an input. `rejected`: an upload that its user takes for an input. */
  readonly result: 'ignored' | 'rejected';
  readonly code: ErrorCode<'permanent'>;
  readonly message: string;
}

/** The description of a stage. The graph, set-up, permissions and documentation are derived from it. */
export interface StageDeclaration<O extends OptionSchemas = OptionSchemas, S extends OptionSchemas = OptionSchemas> {
  readonly name: string;
  /** Increase it when equal input may give different output. Results of older versions are then not reused. */
  readonly version: number;
  readonly consumes: Kind;
  readonly produces: readonly Kind[];
  /** Kinds of the same request that `run` reads through `item.sibling`. The worker's permissions and the memo key depend on them. */
  readonly reads?: readonly Kind[];
  /** For a stage that consumes inputs: returns why it cannot process an upload, as far as the first bytes show. */
  readonly screen?: (upload: UploadHead) => Refusal | undefined;
  /** Values that a request may choose, by name as in `fave-{name}` object metadata. An option has the same schema in every stage. */
  readonly options?: O;
  /** Returns why the stage would refuse these options together, as a sentence. Defaults are included. */
  readonly checkOptions?: (options: OptionMap) => string | undefined;
  /** Values that an operator may choose for the process. The environment variable of `whisper-model` is `FAVE_WHISPER_MODEL`. */
  readonly settings?: S;
}

/** The code of a stage, given the values of its options (`O`) and settings (`S`). The runtime handles messages, retries and uploads. */
export interface StageCode<O, S, R> {
  /** Loads resources that all items share, such as a model. Called once per process, before the first item. */
  readonly start?: (setup: StageSetup<S>) => Promise<R>;
  readonly run: (item: Item, context: StageContext<O, S, R>) => Promise<void>;
}

/** Loads the code of a stage: `() => import('./run.ts')`. Other processes that know the stage do not load its dependencies. */
interface Loadable<Code> {
  readonly load: () => Promise<Code>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- stages with different options share one list
type AnyCode = StageCode<any, any, any>;

/** A stage as the graph sees it, independent of the types of its options. */
export type AnyStage = StageDeclaration & (AnyCode | Loadable<AnyCode>);

/** A stage whose code is loaded. */
export type LoadedStage = StageDeclaration & AnyCode;

/** Checks the types of a stage and returns it unchanged. The code is either part of the stage (`run`) or in a separate module (`load`). */
export function defineStage<const O extends OptionSchemas = {}, const S extends OptionSchemas = {}, R = undefined>(
  stage: StageDeclaration<O, S> & Loadable<StageCode<NoInfer<OptionValues<O>>, NoInfer<OptionValues<S>>, R>>,
): StageDeclaration<O, S> & Loadable<AnyCode>;
export function defineStage<const O extends OptionSchemas = {}, const S extends OptionSchemas = {}, R = undefined>(
  stage: StageDeclaration<O, S> & StageCode<OptionValues<O>, OptionValues<S>, R>,
): StageDeclaration<O, S> & StageCode<OptionValues<O>, OptionValues<S>, R>;
export function defineStage(stage: AnyStage): AnyStage {
  return stage;
}

/** Returns the stage together with its code. */
export async function loadStage(stage: AnyStage): Promise<LoadedStage> {
  return 'load' in stage ? { ...stage, ...(await stage.load()) } : stage;
}
