import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import { root } from '../../../infra/process/paths.ts';

/** Returns the path of a test video; tests/support/media.ts uses the same directory. @throws PermanentError `no-test-media`. */
export function findTestVideo(name: string): string {
  const path = join(resolve(root, process.env['FAVE_TEST_MEDIA'] ?? '../shared/media'), name);
  if (!existsSync(path))
    throw new PermanentError('no-test-media', `${path} does not exist: set FAVE_TEST_MEDIA to the directory of the test media`);
  return path;
}
