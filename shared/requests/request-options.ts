import { PermanentError } from '../core/errors.ts';
import { createOptionParser, withDefaults, type OptionMap } from '../core/options.ts';
import type { Graph } from '../pipeline/graph.ts';
import { encodeMetadata } from '../pipeline/metadata.ts';

/** Maximum size of the options of a request in the metadata of its objects, in bytes. A store allows 2 KB for all metadata. */
export const MAX_OPTION_BYTES = 1_024;

/** The options of a pipeline. */
export type OptionGraph = Pick<Graph, 'options' | 'stages'>;

/**
 * Returns a parser of the options of a request, which arrive as text. It refuses every value that a stage would refuse.
 * @throws PermanentError (the parser) `unknown-option` or `invalid-option`.
 */
export function createRequestOptionParser({
  options: schemas,
  stages,
}: OptionGraph): (input: Readonly<Record<string, string>>) => OptionMap {
  const parse = createOptionParser(schemas);
  return (input) => {
    const options = parse(input);
    const all = withDefaults(schemas, options);
    for (const { checkOptions } of stages) {
      const problem = checkOptions?.(all);
      if (problem !== undefined) throw new PermanentError('invalid-option', problem);
    }
    const { length } = encodeMetadata({ run: 1, options, attributes: {} })['x-amz-meta-fave-options'] ?? '';
    if (length > MAX_OPTION_BYTES)
      throw new PermanentError(
        'invalid-option',
        `the options take ${length} bytes in the metadata of objects, of at most ${MAX_OPTION_BYTES}: shorten them; a character outside ASCII takes 6 bytes, an emoji 12`,
      );
    return options;
  };
}
