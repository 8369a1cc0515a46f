import { kinds } from '../../../schemas/kinds.ts';
import { FaveError, PermanentError } from '../../core/errors.ts';
import { localName } from './item.ts';
import { ToolError } from '../../tools/tool-error.ts';

interface FailedItem {
  readonly item: string;
  /** Key of the item's object. */
  readonly key: string;
  /** Name of the file that the user uploaded. */
  readonly file: string;
  /** Working directory of the attempt. */
  readonly dir: string;
}

/**
 * Returns the error of a stage with a message about the file that the user has, instead of a clip or a local copy of which the user
 * does not know, and with advice after the failure of a tool.
 */
export function nameUserFile(error: unknown, failed: FailedItem): unknown {
  const subject = failed.item === kinds.input.name ? `"${failed.file}"` : `${failed.item} of "${failed.file}"`;
  if (error instanceof ToolError) {
    if (error.code === 'tool-missing') return error;
    const reason = nameInReason(error, subject, failed);
    const sentence = `${error.command} ${error.problem} on ${subject}${reason === '' ? '' : `: ${reason}`}`;
    const hasExited = error.code === 'tool-failed' && error.killedBy === undefined;
    const advice = hasExited ? '; check that the file plays; fave dlq show prints the output of the tool' : '';
    return new PermanentError(error.code, sentence + advice, { cause: error, stderr: error.stderr ?? '' });
  }
  if (!(error instanceof FaveError)) return error;
  error.message = error.message
    .replaceAll(`"${localName(failed.key)}"`, subject)
    .replaceAll(`"${localName(failed.file)}"`, `"${failed.file}"`);
  return error;
}

/** Replaces the paths of local files in the reason, as the tool received them. */
function nameInReason({ reason, args }: ToolError, subject: string, { dir }: FailedItem): string {
  const paths = args.map((arg) => arg.replace(/^file:/, '')).filter((arg) => arg.startsWith(dir));
  const named = paths.reduce((text, path) => text.replaceAll(`file:${path}`, subject).replaceAll(path, subject), reason);
  return named.replace(`${subject}: `, '');
}
