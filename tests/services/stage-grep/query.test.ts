import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { createRequestOptionParser } from '../../../shared/requests/request-options.ts';

const parse = createRequestOptionParser(graph);

describe('the option query', () => {
  it.each(['???', '', ' ', '\u3000', '👍👍', '…', '\u0301', '-- !'])('refuses %j, which can never match', (query) => {
    expect(() => parse({ query })).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: expect.stringContaining('query must contain a word') as string,
      }),
    );
  });

  it.each([
    [' café ', 'café'],
    ['cafe\u0301', 'café'],
    ['7', '7'],
    ['दान', 'दान'],
    ['人工智能', '人工智能'],
  ])('accepts %j', (query, value) => {
    expect(parse({ query })).toEqual({ query: value });
  });

  it('refuses a text that exceeds the metadata of objects', () => {
    expect(parse({ query: 'x'.repeat(200) })).toMatchObject({ query: expect.any(String) as string });
    expect(() => parse({ query: '𠀀'.repeat(200) })).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining('shorten them') as string }),
    );
  });
});

describe('the option language', () => {
  it.each([
    ['auto', 'auto'],
    ['en', 'en'],
    ['EN', 'en'],
    ['eng', 'en'],
    ['English', 'en'],
    ['en_US', 'en'],
    ['en_GB.UTF-8', 'en'],
    [' de-AT ', 'de'],
    ['Deutsch', 'de'],
    ['ger', 'de'],
    ['deu', 'de'],
    ['français', 'fr'],
    ['franc\u0327ais', 'fr'],
    ['pt-BR', 'pt'],
    ['zh-Hant-TW', 'zh'],
    ['cmn', 'zh'],
    ['Mandarin', 'zh'],
    ['中文', 'zh'],
    ['iw', 'he'],
    ['nb-NO', 'no'],
    ['Tagalog', 'tl'],
    ['fil', 'tl'],
    ['Javanese', 'jw'],
    ['Farsi', 'fa'],
    ['yue', 'yue'],
  ])('understands %j as %s', (language, code) => {
    expect(parse({ language })).toEqual({ language: code });
  });

  it.each(['Klingon', 'tlh', 'xx', '', 'und', 'e', 'Inglese!'])('refuses %j, which no engine recognises', (language) => {
    expect(() => parse({ language })).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: expect.stringContaining('option language must be a language') as string,
      }),
    );
  });

  it('refuses a language that the chosen engine does not recognise', () => {
    expect(parse({ speech: 'pocketsphinx', language: 'en_US' })).toEqual({ speech: 'pocketsphinx', language: 'en' });
    expect(() => parse({ speech: 'pocketsphinx', language: 'German' })).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: expect.stringContaining('pocketsphinx recognises English only, not "de"') as string,
      }),
    );
  });
});
