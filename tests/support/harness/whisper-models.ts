import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../infra/process/paths.ts';

const directory = process.env['FAVE_MODELS'] || join(root, '..', 'shared', 'models', 'whisper');

/** Directory of Whisper models for tests: `FAVE_MODELS`, or `../shared/models/whisper`; `undefined` if there is none. */
export const whisperModels = existsSync(directory) ? directory : undefined;
