import { Ajv } from 'ajv';
import { PermanentError } from './errors.ts';
import type { OptionMap, OptionSchemas } from '../pipeline/stage.ts';
import { explain } from './validate.ts';

export type { OptionMap };

/**
 * Makes a checker for values that came as text, such as object metadata or the environment.
 * It returns the given ones, typed; unknown and wrong ones are named.
 * @param what How errors call one of them, such as `option`.
 */
export function createOptionParser(
  schemas: OptionSchemas,
  what = 'option',
): (given: Readonly<Record<string, unknown>>) => OptionMap {
  // Descriptions of defaults stay for people; absent options stay absent, so that what travels is what the user chose.
  const validate = new Ajv({ coerceTypes: true, allErrors: true, strict: false }).compile({
    type: 'object',
    additionalProperties: false,
    properties: schemas,
  });
  const code = what.replaceAll(' ', '-');
  return (given) => {
    const values = { ...given };
    const unknown = Object.keys(values).filter((name) => !Object.hasOwn(schemas, name));
    if (unknown.length > 0) {
      throw new PermanentError(
        `unknown-${code}`,
        `there is no ${what} ${unknown.map((name) => `"${name}"`).join(' or ')}; there are ${Object.keys(schemas).join(', ')}`,
      );
    }
    if (!validate(values)) throw new PermanentError(`invalid-${code}`, `${what} ${explain(validate.errors)}`);
    return values as OptionMap;
  };
}

/** The values of the options that `schemas` names, with defaults for those not given. */
export function withDefaults(schemas: OptionSchemas, given: OptionMap): OptionMap {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, given[name] ?? schema.default]));
}
