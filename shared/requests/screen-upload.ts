import { basename } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { Refusal, UploadHead } from '../pipeline/stage.ts';

/** Names of files that operating systems write into every folder. */
const SYSTEM_FILES = new Set(['thumbs.db', 'ehthumbs.db', 'ehthumbs_vista.db', 'desktop.ini', 'icon\r', '@eadir', '__macosx']);

/** Ends of names of uploads, downloads and copies that are not complete. They are renamed at their end. */
const UNFINISHED = /(\.(part|partial|filepart|crdownload|download|opdownload|tmp|temp|swp|!ut|aria2|st)|~)$/i;

/** Ends of keys that represent folders: of consoles, s3fs and rclone, and of Hadoop. */
const FOLDER = /(\/|_\$folder\$)$/;

/**
 * Returns why an object cannot be an input, as far as its name and size show: folder markers, hidden files, files of operating
 * systems, unfinished uploads, and empty objects, which some mounts write before the content.
 * @param path Path below the prefix of the request.
 */
export function screenName(path: string, size: number): Refusal | undefined {
  const name = basename(path);
  const ignore = (reason: string): Refusal => ({ result: 'ignored', code: 'ignored-file', message: `"${name}" ${reason}` });
  if (FOLDER.test(path)) return ignore('is the marker of a folder');
  const segments = path.split('/');
  if (segments.some((segment) => /^\.[^.]/.test(segment))) return ignore('is a hidden file: rename it to have it analysed');
  if (segments.some((segment) => SYSTEM_FILES.has(segment.toLowerCase()))) return ignore('is a file of an operating system');
  if (UNFINISHED.test(name)) return ignore('is an unfinished upload: it is admitted under its final name');
  if (size > 0) return undefined;
  const message = `"${name}" is empty (0 bytes): upload its content under the same key`;
  return { result: 'ignored', code: 'empty-file', message };
}

/** Returns why no stage can process an upload, as far as its first bytes show. */
export function screenHead(graph: Graph, upload: UploadHead): Refusal | undefined {
  return graph
    .consumersOf(kinds.input.name)
    .map(({ screen }) => screen?.(upload))
    .find((refusal) => refusal !== undefined);
}
