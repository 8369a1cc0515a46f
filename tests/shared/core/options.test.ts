import { describe, expect, it } from 'vitest';
import { createOptionParser, withDefaults, type OptionSchemas } from '../../../shared/core/options.ts';

const schemas = {
  interval: { type: 'number', default: 5, minimum: 0.04, maximum: 60, description: 'seconds' },
  count: { type: 'integer', default: 2, minimum: 1, description: 'how many' },
  engine: { type: 'string', default: 'auto', enum: ['auto', 'none'], description: 'which' },
  name: { type: 'string', default: '', maxLength: 4, description: 'what' },
  fast: { type: 'boolean', default: false, description: 'whether' },
} as const satisfies OptionSchemas;
const check = createOptionParser(schemas);

it('converts text to the type of the option and adds no defaults', () => {
  expect(check({ interval: '2.5', fast: 'true', name: 'čaj' })).toEqual({ interval: 2.5, fast: true, name: 'čaj' });
  expect(check({})).toEqual({});
});

it('does not modify its input', () => {
  const values = Object.freeze({ interval: '2' });
  expect(check(values)).toEqual({ interval: 2 });
  expect(values).toEqual({ interval: '2' });
});

describe('createOptionParser', () => {
  it.each([
    [{ interval: 'soon' }, /interval must be number/],
    [{ interval: '0' }, /interval must be >= 0.04/],
    [{ interval: '61' }, /interval must be <= 60/],
    [{ count: '1.5' }, /count must be integer/],
    [{ engine: 'magic' }, /engine must be one of auto, none/],
    [{ name: 'tasse' }, /name must NOT have more than 4 characters/],
    [{ fast: 'maybe' }, /fast must be boolean/],
  ])('rejects %j with the name and the rule', (values, message) => {
    expect(() => check(values)).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringMatching(message) as string }),
    );
  });

  it('rejects unknown options with the valid names', () => {
    const refusal = {
      code: 'unknown-option',
      message: 'there is no option "intervall" or "x"; there are interval, count, engine, name, fast',
    };
    expect(() => check({ intervall: '2', x: '1', fast: 'true' })).toThrow(expect.objectContaining(refusal));
  });

  it.each(['constructor', '__proto__', 'toString'])('rejects the property %s of every object as unknown', (name) => {
    const values = JSON.parse(`{"${name}": "1"}`) as Record<string, unknown>;
    expect(() => check(values)).toThrow(expect.objectContaining({ code: 'unknown-option' }));
  });
});

it('adds defaults and drops unknown values', () => {
  expect(withDefaults(schemas, { interval: 1, other: 3 })).toEqual({
    interval: 1,
    count: 2,
    engine: 'auto',
    name: '',
    fast: false,
  });
  expect(withDefaults(schemas, { fast: false, count: 0 })).toMatchObject({ fast: false, count: 0 });
});
