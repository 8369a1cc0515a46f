import { PermanentError } from './errors.ts';

/** One option, as a JSON Schema of a scalar with a default and a description. */
export type OptionSchema = {
  readonly description: string;
  /** Whether receipts omit the value: a secret, or the location of a program. */
  readonly isPrivate?: boolean;
} & (
  | { readonly type: 'number' | 'integer'; readonly default: number; readonly minimum?: number; readonly maximum?: number }
  | {
      readonly type: 'string';
      readonly default: string;
      readonly enum?: readonly string[];
      readonly maxLength?: number;
      /** Returns the canonical form of a value, or a problem as the end of the sentence `option NAME …`. */
      readonly parse?: (text: string) => Parsed<string>;
    }
  | { readonly type: 'boolean'; readonly default: boolean }
);

export type OptionSchemas = Readonly<Record<string, OptionSchema>>;

type OptionValue<S extends OptionSchema> = S extends { type: 'number' | 'integer' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { enum: readonly (infer E)[] }
      ? E
      : string;

/** The values that a set of option schemas describes. */
export type OptionValues<S extends OptionSchemas> = { readonly [K in keyof S]: OptionValue<S[K]> };

/** Option values without their schemas. */
export type OptionMap = Readonly<Record<string, string | number | boolean>>;

/**
 * Returns a parser of values that arrive as text, such as object metadata and environment variables. The parser returns the
 * given values with their types; it adds no defaults, so that object metadata holds only the options that the user set.
 * @param noun Noun for one of the values in error messages.
 * @throws PermanentError `unknown-…` (the parser) that lists the valid names, or `invalid-…` that states the violated rule.
 */
export function createOptionParser(
  schemas: OptionSchemas,
  noun: 'option' | 'environment variable' = 'option',
): (input: Readonly<Record<string, unknown>>) => OptionMap {
  const code = noun === 'option' ? 'option' : 'environment-variable';
  return (input) => {
    const unknown = Object.keys(input).filter((name) => !Object.hasOwn(schemas, name));
    if (unknown.length > 0) {
      throw new PermanentError(
        `unknown-${code}`,
        `there is no ${noun} ${unknown.map((name) => `"${name}"`).join(' or ')}; there are ${Object.keys(schemas).join(', ')}`,
      );
    }
    return Object.fromEntries(
      Object.entries(input).map(([name, text]) => {
        const { value, problem } = parseOption(schemas[name] as OptionSchema, text);
        if (value === undefined) throw new PermanentError(`invalid-${code}`, `${noun} ${name} ${problem}`);
        return [name, value];
      }),
    );
  };
}

/** A valid value, or the violated rule. */
export type Parsed<T> = { readonly value: T; readonly problem?: never } | { readonly value?: never; readonly problem: string };

function parseOption(schema: OptionSchema, input: unknown): Parsed<string | number | boolean> {
  const text = String(input);
  switch (schema.type) {
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { problem: 'must be boolean' };
    case 'string': {
      if (schema.enum && !schema.enum.includes(text)) return { problem: `must be one of ${schema.enum.join(', ')}` };
      const { maxLength = Infinity } = schema;
      if (Array.from(text).length > maxLength) return { problem: `must NOT have more than ${maxLength} characters` };
      return schema.parse?.(text) ?? { value: text };
    }
    default: {
      const value = text.trim() === '' ? NaN : Number(text);
      const { minimum = -Infinity, maximum = Infinity } = schema;
      if (!Number.isFinite(value) || (schema.type === 'integer' && !Number.isInteger(value)))
        return { problem: `must be ${schema.type}` };
      if (value < minimum) return { problem: `must be >= ${minimum}` };
      return value > maximum ? { problem: `must be <= ${maximum}` } : { value };
    }
  }
}

/** Returns the values of the options in `schemas`, with defaults for those that are absent. */
export function withDefaults(schemas: OptionSchemas, input: OptionMap): OptionMap {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, input[name] ?? schema.default]));
}
