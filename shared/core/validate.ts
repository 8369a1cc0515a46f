import type { ErrorObject, ValidateFunction } from 'ajv';
import * as validators from '../../schemas/generated/validators.mjs';
import { InvalidDataError } from './errors.ts';

export type SchemaName = keyof typeof validators;
/** `requestState` → `request-state`. */
type Kebab<T extends string> = T extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `-${Lowercase<First>}`}${Kebab<Rest>}`
  : T;
type Valid<N extends SchemaName> = (typeof validators)[N] extends ValidateFunction<infer T> ? T : never;

/**
 * Returns `value`, typed, after a check against the named schema.
 * @throws InvalidDataError `invalid-{name}`, with the name in kebab case; the message states the field and the violated rule.
 */
export function validate<N extends SchemaName>(name: N, value: unknown): Valid<N> {
  const isValid = validators[name] as ValidateFunction;
  if (isValid(value)) return value as Valid<N>;
  throw invalid(name, explain(isValid.errors));
}

/** Parses JSON text and checks it against the named schema. @throws InvalidDataError as {@link validate}. */
export function parseJson<N extends SchemaName>(name: N, text: string): Valid<N> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, 'it is not JSON', cause);
  }
  return validate(name, value);
}

function invalid(name: SchemaName, problem: string, cause?: unknown): InvalidDataError {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) as Kebab<SchemaName>;
  return new InvalidDataError(`invalid-${words}`, `not a valid ${words.replaceAll('-', ' ')}: ${problem}`, { cause });
}

/** Returns the first violation as a phrase, such as `options.query must be string`. */
function explain(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (!first) return 'it does not match its schema';
  const at = first.instancePath.slice(1).replaceAll('/', '.') || 'it';
  const extra = first.params as { additionalProperty?: string; allowedValues?: unknown[] };
  if (extra.additionalProperty !== undefined) return `${at} must not have "${extra.additionalProperty}"`;
  if (extra.allowedValues) return `${at} must be one of ${extra.allowedValues.join(', ')}`;
  return `${at} ${first.message ?? 'is wrong'}`;
}
