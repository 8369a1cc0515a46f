import { PermanentError } from '../core/errors.ts';

/** Use of a model. Each kind has its own hub and its own pattern of file names. */
export type ModelKind = 'whisper';

/** A published model file. */
export interface Model {
  readonly kind: ModelKind;
  readonly name: string;
  /** File name in the hub and in directories of models. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Digests of the file, hexadecimal. The strongest known digest is checked. */
  readonly sha1: string;
  readonly sha256?: string;
}

/** Directory of the files of each kind. `FAVE_MODELS_URL` replaces it. The revision is pinned, because the main branch can change. */
const HUBS: Readonly<Record<ModelKind, string>> = {
  whisper: 'https://huggingface.co/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1',
};

/** Name of the default model: 8-bit, multilingual. On CPUs, 8-bit files are as accurate as float16 and faster than files with fewer bits. */
export const DEFAULT_MODEL = 'base-q8_0';

/**
 * Models of Whisper in whisper.cpp's format. Models whose names end in `.en` support English only, with fewer errors. If a directory
 * contains several files, the first of this list is used: the default, then models of similar speed, then fast and slow ones.
 * Digests and sizes are those of the pinned revision; the digests of 16-bit files are also in whisper.cpp's `models/README.md`.
 */
const WHISPER: readonly (readonly [name: string, bytes: number, sha1: string, sha256?: string])[] = [
  [
    DEFAULT_MODEL,
    81_768_585,
    '7bb89bb49ed6955013b166f1b6a6c04584a20fbe',
    'c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9',
  ],
  [
    'base',
    147_951_465,
    '465707469ff3a37a2b9b8d8f89f2f99de7299dac',
    '60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe',
  ],
  ['base.en', 147_964_211, '137c40403d78fd54d454da0f9bd998f78703390c'],
  ['small-q8_0', 264_464_607, 'bcad8a2083f4e53d648d586b7dbc0cd673d8afad'],
  [
    'small',
    487_601_967,
    '55356645c2b361a969dfd0ef2c5a50d530afd8d5',
    '1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b',
  ],
  ['small.en', 487_614_201, 'db8a495a91d927739e50b3fc1cc4c6b8f6c2d022'],
  [
    'tiny-q8_0',
    43_537_433,
    '19e8118f6652a650569f5a949d962154e01571d9',
    'c2085835d3f50733e2ff6e4b41ae8a2b8d8110461e18821b09a15c40c42d1cca',
  ],
  [
    'tiny',
    77_691_713,
    'bd577a113a864445d4c299885e0cb97d4ba92b5f',
    'be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21',
  ],
  ['tiny.en-q8_0', 43_550_795, '802d6668e7d411123e672abe4cb6c18f12306abb'],
  [
    'tiny.en',
    77_704_715,
    'c78c86eb1a8faa21b369bcd33207cc90d64ae9df',
    '921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f',
  ],
  ['large-v3-turbo-q8_0', 874_188_075, '01bf15bedffe9f39d65c1b6ff9b687ea91f59e0e'],
  ['medium-q8_0', 823_369_779, 'e66645948aff4bebbec71b3485c576f3d63af5d6'],
  [
    'medium',
    1_533_763_059,
    'fd9727b6e1217c2f614f9b698455c4ffd82463b4',
    '6c14d5adee5f86394037b4e4e8b59f1673b6cee10e3cf0b11bbdbee79c156208',
  ],
  ['medium.en', 1_533_774_781, '8c30f0e44ce9560643ebd10bbe50cd20eafd3723'],
  ['large-v3', 3_095_033_483, 'ad82bf6a9043ceed055076d0fd39f5f186ff8062'],
  ['large-v2', 3_094_623_691, '0f4c8e34f21cf1a914c59d8b3ce882345ad349d6'],
  ['large-v1', 3_094_623_691, 'b1caaf735c4cc1429223d5a74f0f4d0b9b59a299'],
];

/** All known models, preferred ones first. */
export const models: readonly Model[] = WHISPER.map(([name, bytes, sha1, sha256]) => ({
  kind: 'whisper',
  name,
  file: modelFile('whisper', name),
  bytes,
  sha1,
  ...(sha256 !== undefined && { sha256 }),
}));

/** Returns the file name of a model. */
export function modelFile(kind: ModelKind, name: string): string {
  return { whisper: `ggml-${name}.bin` }[kind];
}

/** Returns the name of the model of a file, or `undefined` for another file. */
export function modelName(kind: ModelKind, file: string): string | undefined {
  return { whisper: /^ggml-(.+)\.bin$/ }[kind].exec(file)?.[1];
}

/** Returns the model with a name. @throws PermanentError `unknown-model`. */
export function knownModel(name: string): Model {
  const model = models.find((each) => each.name === name);
  if (model) return model;
  const names = models.map((each) => each.name).join(', ');
  throw new PermanentError('unknown-model', `unknown model "${name}"; available: ${names}`);
}

/** Returns the URL of a model. @param mirror Directory that replaces the hub (http, https or file); empty for the hub. */
export function modelUrl({ kind, file }: Model, mirror = ''): string {
  return `${(mirror || HUBS[kind]).replace(/\/+$/, '')}/${file}`;
}
