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

it('text becomes what the option is, and what was not given stays absent', () => {
  expect(check({ interval: '2.5', fast: 'true', name: 'čaj' })).toEqual({ interval: 2.5, fast: true, name: 'čaj' });
  expect(check({})).toEqual({});
});

it('leaves what it was given as it was', () => {
  const given = Object.freeze({ interval: '2' });
  expect(check(given)).toEqual({ interval: 2 });
  expect(given).toEqual({ interval: '2' });
});

describe('a wrong option', () => {
  it.each([
    [{ interval: 'soon' }, /interval must be number/],
    [{ interval: '0' }, /interval must be >= 0.04/],
    [{ interval: '61' }, /interval must be <= 60/],
    [{ count: '1.5' }, /count must be integer/],
    [{ engine: 'magic' }, /engine must be one of auto, none/],
    [{ name: 'tasse' }, /name must NOT have more than 4 characters/],
    [{ fast: 'maybe' }, /fast must be boolean/],
  ])('%j is refused by its name and rule', (given, message) => {
    expect(() => check(given)).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringMatching(message) as string }),
    );
  });

  it('that nobody knows is answered with those that there are', () => {
    const refusal = {
      code: 'unknown-option',
      message: 'there is no option "intervall" or "x"; there are interval, count, engine, name, fast',
    };
    expect(() => check({ intervall: '2', x: '1', fast: 'true' })).toThrow(expect.objectContaining(refusal));
  });

  it.each(['constructor', '__proto__', 'toString'])('is also one that every object has, such as %s', (name) => {
    const given = JSON.parse(`{"${name}": "1"}`) as Record<string, unknown>;
    expect(() => check(given)).toThrow(expect.objectContaining({ code: 'unknown-option' }));
  });
});

it('defaults fill in what was not given, and nothing else remains', () => {
  expect(withDefaults(schemas, { interval: 1, other: 3 })).toEqual({
    interval: 1,
    count: 2,
    engine: 'auto',
    name: '',
    fast: false,
  });
  expect(withDefaults(schemas, { fast: false, count: 0 })).toMatchObject({ fast: false, count: 0 });
});
