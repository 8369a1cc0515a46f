import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { MAX_OPTION_BYTES } from '../../../shared/requests/request-options.ts';
import {
  decodeMetadata,
  encodeMetadata,
  encodeOptions,
  parseRequestHeaders,
  reservedOptionNames,
} from '../../../shared/pipeline/metadata.ts';

const text = fc.string({ unit: 'binary', maxLength: 30 });
const name = fc.stringMatching(/^[a-z][a-z-]{0,15}$/).filter((word) => !reservedOptionNames.includes(word));
const options = fc.dictionary(
  name,
  fc.oneof(
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    fc.boolean(),
  ),
  { maxKeys: 5, noNullPrototype: true },
);

describe('an artifact’s metadata', () => {
  it('survives the headers, which are ASCII', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1 }), (chosen, run) => {
        const metadata = {
          run,
          options: chosen,
          attributes: { start: 1.5, end: 2 },
          sha256: 'ab',
          receipt: 'metadata/items/s/i.json',
        };
        const headers = encodeMetadata(metadata);
        for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeMetadata(headers)).toEqual(metadata);
      }),
    );
  });

  it('is found whatever the case of the headers', () => {
    expect(decodeMetadata({ 'X-Amz-Meta-Fave-Run': '3', 'Content-Type': 'x' })).toEqual({ run: 3, options: {}, attributes: {} });
  });

  it.each<Record<string, string>>([
    {},
    { 'x-amz-meta-fave-run': '0' },
    { 'x-amz-meta-fave-run': 'one' },
    { 'x-amz-meta-run': '1' },
  ])('%j is none of ours', (headers) => {
    expect(decodeMetadata(headers)).toBeUndefined();
  });

  it('fits the 2 KB that a store allows, with the largest options', () => {
    const headers = encodeMetadata({
      run: 999,
      options: { query: 'x'.repeat(MAX_OPTION_BYTES - '{"query":""}'.length) },
      attributes: { start: 12_345.678, end: 12_346.789, preroll: 3.456 },
      sha256: 'a'.repeat(64),
      input: 'a'.repeat(64),
      traceparent: 'a'.repeat(55),
      receipt: `metadata/items/${'s'.repeat(40)}/clip_0001-frame_0001.json`,
    });
    const bytes = Object.entries(headers).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    expect(bytes).toBeLessThan(2_048);
  });
});

describe('a user’s options', () => {
  it('keeps options in headers, in any script', () => {
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 40 }), { noNullPrototype: true }), (chosen) => {
        const headers = encodeOptions(chosen);
        for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(parseRequestHeaders(headers).options).toEqual(chosen);
      }),
    );
  });

  it.each([
    ['=?UTF-8?q?caf=C3=A9_au_lait?=', 'café au lait'],
    ['=?utf-8?Q?100_%_=E2=98=95=5F?=', '100 % ☕_'],
    ['=?UTF-8?b?Y2Fmw6k=?=', 'café'],
    ['=?UTF-8?b?Y2Fm?= =?UTF-8?b?w6k=?= x', 'café x'],
    ['plain =? text', 'plain =? text'],
    ['', ''],
  ])('%j reads %j', (header, value) => {
    expect(parseRequestHeaders({ 'X-Amz-Meta-Fave-Query': header })).toEqual({ options: { query: value } });
  });

  it.each(['=?utf-8?q?=ff=fe?=', '=?utf-8?b?//79?=', '=?utf-8?q?=E2=98?='])(
    '%j is no UTF-8: it is read as something, never as an error',
    (header) => {
      expect(parseRequestHeaders({ 'x-amz-meta-fave-query': header }).options['query']).toContain('\ufffd');
    },
  );

  it('returns every fave- value except the trace context as an option', () => {
    const headers = {
      'x-amz-meta-fave-query': 'a',
      'x-amz-meta-fave-traceparent': 't',
      'x-amz-meta-other': 'b',
      'content-type': 'c',
    };
    expect(parseRequestHeaders(headers)).toEqual({ options: { query: 'a' }, traceparent: 't' });
  });

  it('returns no option for the metadata of an artifact that was copied', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const artifact = {
      run: 2,
      options: { interval: 2 },
      attributes: { start: 1 },
      sha256: 'a',
      input: 'b',
      receipt: 'c',
      traceparent,
    };
    expect(Object.keys(encodeMetadata(artifact))).toHaveLength(reservedOptionNames.length);
    expect(parseRequestHeaders({ ...encodeMetadata(artifact), ...encodeOptions({ query: 'a' }) })).toEqual({
      options: { query: 'a' },
    });
  });
});

it('reserves no name that the pipeline uses for an option', () => {
  expect(Object.keys(graph.options).filter((option) => reservedOptionNames.includes(option))).toEqual([]);
});
