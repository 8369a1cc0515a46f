import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import { root } from '../../../infra/process/paths.ts';

/** A real test medium, from where tests/support/media.ts has them. @throws PermanentError `no-media`. */
export function medium(name: string): string {
  const path = join(resolve(root, process.env['FAVE_TEST_MEDIA'] ?? '../shared/media'), name);
  if (!existsSync(path))
    throw new PermanentError('no-test-media', `${path} is not there: set FAVE_TEST_MEDIA to the folder of the test media`);
  return path;
}
