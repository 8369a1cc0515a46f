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

describe('a graph is refused', () => {
  it.each([
    ['where a stage consumes what nothing produces', 'one consumes b, which nothing produces', () => [idle('one', b)]],
    [
      'where two stages produce one kind',
      'a is produced by one and by uno',
      () => [idle('one', input, [a]), idle('uno', input, [a])],
    ],
    [
      'where a stage writes what the platform gives',
      'input is produced by the platform and by one',
      () => [idle('one', input, [input])],
    ],
    ['where a stage writes under another name', 'two may not write one/a.txt', () => [idle('two', input, [a])]],
    ['where two stages share a name', 'two stages named one', () => [idle('one', input), idle('one', input)]],
    [
      'where two kinds share a name',
      'two kinds named a',
      () => [idle('one', input, [a]), idle('two', input, [kind('two/a.txt')])],
    ],
    [
      'where a stage waits for what is not announced',
      'which is not announced',
      () => {
        const silent = kind('one/s.txt', { announced: false });
        return [idle('one', input, [silent]), idle('two', silent)];
      },
    ],
    ['where stages go in a circle', 'one → two → one', () => [idle('one', b, [a]), idle('two', a, [b])]],
    ['where a stage feeds itself', 'one → one', () => [idle('one', a, [a])]],
    [
      'where an option means two things',
      'option size of two means something else',
      () => [idle('one', input, [], option(1)), idle('two', input, [], option(2))],
    ],
  ])('%s', (_, sentence, stages) => {
    expect(() => defineGraph([input], stages())).toThrow(sentence);
  });
});

it('equal options of two stages are one option', () => {
  expect(
    defineGraph([input], [idle('one', input, [], option(3)), idle('two', input, [], option(3))]).options['size'],
  ).toMatchObject({ maximum: 3 });
});

it('names of stages and kinds are looked up, and unknown ones are answered with the known', () => {
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

  it('begins with the input and leads from there to every kind', () => {
    const reached = new Set(['input', 'canary']);
    for (const name of reached)
      for (const { produces } of pipeline.consumersOf(name)) for (const kind of produces) reached.add(kind.name);
    expect([...reached].sort()).toEqual(pipeline.kinds.map(({ name }) => name).sort());
  });
});
