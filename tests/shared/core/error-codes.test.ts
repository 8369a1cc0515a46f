import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as validators from '../../../schemas/generated/validators.mjs';
import { errorAreas } from '../../../shared/core/error-codes.ts';

const files = execFileSync('git', ['ls-files', '*.ts'], { encoding: 'utf8' }).split('\n').filter(Boolean);
const data = Object.keys(errorAreas['Data that violates its schema']);
const codes = Object.values(errorAreas).flatMap((area) => Object.keys(area));

it('registers each code once', () => {
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

it('registers one code per schema', () => {
  const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  expect(data).toEqual(
    Object.keys(validators)
      .map((name) => `invalid-${kebab(name)}`)
      .sort(),
  );
});

it('registers no code that is unused', () => {
  const source = files
    .filter((file) => file !== 'shared/core/error-codes.ts')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const composed = ['option', 'environment-variable'].flatMap((noun) => [`unknown-${noun}`, `invalid-${noun}`]);
  const unused = codes.filter((code) => ![...data, ...composed].includes(code) && !source.includes(`'${code}'`));
  expect(unused).toEqual([]);
});
