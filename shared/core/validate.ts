import type { ErrorObject, ValidateFunction } from 'ajv';
import * as validators from '../../schemas/generated/validators.mjs';
import { PermanentError } from './errors.ts';

export type SchemaName = keyof typeof validators;
type Valid<N extends SchemaName> = (typeof validators)[N] extends ValidateFunction<infer T> ? T : never;

/**
 * Checks a value against a schema by name and returns it typed.
 * @throws PermanentError `invalid-{name}`, with the name in kebab case; the message names the field and its fault.
 */
export function validate<N extends SchemaName>(name: N, value: unknown): Valid<N> {
  const validate = validators[name] as ValidateFunction;
  if (validate(value)) return value as Valid<N>;
  throw invalid(name, explain(validate.errors));
}

/** Parses and checks JSON text. @throws PermanentError as {@link validate}. */
export function parseJson<N extends SchemaName>(name: N, text: string): Valid<N> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, 'it is not JSON', cause);
  }
  return validate(name, value);
}

function invalid(name: SchemaName, fault: string, cause?: unknown): PermanentError {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new PermanentError(`invalid-${words}`, `not a valid ${words.replaceAll('-', ' ')}: ${fault}`, { cause });
}

/** What ajv found, as a phrase: `options.query must be string`. */
export function explain(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (!first) return 'it does not match its schema';
  const at = first.instancePath.slice(1).replaceAll('/', '.') || 'it';
  const extra = first.params as { additionalProperty?: string; allowedValues?: unknown[] };
  if (extra.additionalProperty !== undefined) return `${at} must not have "${extra.additionalProperty}"`;
  if (extra.allowedValues) return `${at} must be one of ${extra.allowedValues.join(', ')}`;
  return `${at} ${first.message ?? 'is wrong'}`;
}
