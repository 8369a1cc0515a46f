import { describe, expect, it } from 'vitest';
import { readdirSync } from 'node:fs';
import { graph as pipeline } from '../../../services/pipeline.ts';
import { defineGraph } from '../../../shared/pipeline/graph.ts';
import * as validators from '../../../schemas/generated/validators.mjs';
import { idle, kind } from './graphs.ts';

const input = kind('input/{file}', { name: 'input' });
const a = kind('one/a.txt');
const b = kind('two/b.txt');
const option = (maximum: number) =>
  ({ options: { size: { type: 'number', default: 1, maximum, description: 'size' } } }) as const;

describe('defineGraph', () => {
  it.each([
    ['a stage that consumes a kind without producer', 'one consumes b, which has no producer', () => [idle('one', b)]],
    [
      'two stages that produce one kind',
      'a is produced by one and by uno',
      () => [idle('one', input, [a]), idle('uno', input, [a])],
    ],
    [
      'a stage that produces a kind of the platform',
      'input is produced by the platform and by one',
      () => [idle('one', input, [input])],
    ],
    ['a stage that produces a key under another name', 'two cannot produce one/a.txt', () => [idle('two', input, [a])]],
    ['two stages with one name', 'two stages named one', () => [idle('one', input), idle('one', input)]],
    ['two kinds with one name', 'two kinds named a', () => [idle('one', input, [a]), idle('two', input, [kind('two/a.txt')])]],
    [
      'a stage that consumes a kind that is not announced',
      'which is not announced',
      () => {
        const silent = kind('one/s.txt', { announced: false });
        return [idle('one', input, [silent]), idle('two', silent)];
      },
    ],
    ['stages that form a cycle', 'one → two → one', () => [idle('one', b, [a]), idle('two', a, [b])]],
    ['a stage that consumes its output', 'one → one', () => [idle('one', a, [a])]],
    [
      'an option with two schemas',
      'option size of two has another schema',
      () => [idle('one', input, [], option(1)), idle('two', input, [], option(2))],
    ],
  ])('rejects %s', (_, sentence, stages) => {
    expect(() => defineGraph([input], stages())).toThrow(sentence);
  });
});

it('merges equal options of two stages', () => {
  expect(
    defineGraph([input], [idle('one', input, [], option(3)), idle('two', input, [], option(3))]).options['size'],
  ).toMatchObject({ maximum: 3 });
});

it('finds stages and kinds by name, and lists the valid names for an unknown one', () => {
  const graph = defineGraph([input], [idle('one', input, [a])]);
  expect(graph.stage('one').produces).toEqual([a]);
  expect(graph.kind('a')).toBe(a);
  expect(() => graph.stage('three')).toThrow('there is no stage three; there are one');
  expect(() => graph.kind('z')).toThrow('there is no kind z; there are input, a');
  expect(graph.consumersOf('input').map(({ name }) => name)).toEqual(['one']);
  expect(graph.consumersOf('z')).toEqual([]);
});

describe('the pipeline', () => {
  it('has a schema for every JSON kind', () => {
    const files = readdirSync(new URL('../../../schemas/artifacts', import.meta.url));
    const schemas = pipeline.kinds.flatMap(({ schema }) => (schema === undefined ? [] : [schema]));
    expect(schemas.length).toBeGreaterThan(4);
    for (const schema of schemas) {
      expect(files).toContain(`${schema}.schema.json`);
      expect(validators).toHaveProperty(schema);
    }
    expect(pipeline.kinds.filter(({ key, schema }) => key.endsWith('.json') && schema === undefined)).toEqual([]);
  });

  it('reaches every kind from the input', () => {
    const reached = new Set(['input', 'canary']);
    for (const name of reached)
      for (const { produces } of pipeline.consumersOf(name)) for (const kind of produces) reached.add(kind.name);
    expect([...reached].sort()).toEqual(pipeline.kinds.map(({ name }) => name).sort());
  });
});
