import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import { PermanentError, UsageError } from '../core/errors.ts';
import { pathOf, requestPrefix } from '../pipeline/keys.ts';
import { createOptionParser, type OptionSchemas } from '../core/options.ts';

/** A file that is to become a request. */
export interface Submission {
  readonly id: string;
  /** As the user wrote it. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Key of the input in the bucket. */
  readonly key: string;
}

/**
 * The options that a user gave, checked against what the pipeline knows: a wrong one must not cost an upload.
 * @param pairs `key=value` each.
 * @returns As text, as they travel.
 * @throws UsageError.
 */
export function parseOptions(
  pairs: readonly string[],
  query: string | undefined,
  schemas: OptionSchemas,
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError(`--option takes key=value, such as --option threshold=0.5, not "${pair}"`);
    given[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  if (query !== undefined) {
    if (!('query' in schemas))
      throw new UsageError(
        '--query: no stage of this pipeline looks for a query (fave graph --json lists the options that there are)',
      );
    given['query'] = query;
  }
  try {
    createOptionParser(schemas)(given);
  } catch (error) {
    if (error instanceof PermanentError) throw new UsageError(error.message);
    throw error;
  }
  return given;
}

/** @throws UsageError for a file that is not there or no regular file. */
export async function submissionOf(file: string, cwd: string, id: string): Promise<Submission> {
  const path = resolve(cwd, file);
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? `${file} may not be read: check its permissions`
        : `there is no file ${file}: check its name`,
    );
  });
  if (found.isDirectory())
    throw new UsageError(`${file} is a directory: name the video files in it, such as ${file.replace(/\/$/, '')}/*.mp4`);
  if (!found.isFile()) throw new UsageError(`${file} is not a regular file: save it to one first`);
  return { id, file, path, size: found.size, key: requestPrefix(id) + pathOf(kinds.input, { file: basename(path) }) };
}
