import { describe, expect, it } from 'vitest';
import { parseWhisperJson } from '../../../services/stage-deepspeech/whisper-node/whisper-json.ts';

// The output format of whisper.cpp 1.5: text is not escaped, and the bytes of one character may be in two tokens.
const token = (text: string, from: number, to: number, p: number): string =>
  `{ "text": "${text}", "offsets": { "from": ${from}, "to": ${to} }, "id": 1, "p": ${p} }`;
const segment = (text: string, ...tokens: readonly string[]): string =>
  `{ "offsets": { "from": 320, "to": 2500 }, "text": "${text}", "tokens": [ ${tokens.join(',\n')} ] }`;
const file = (...segments: readonly string[]): Buffer =>
  Buffer.from(
    `{ "systeminfo": "AVX = 1", "result": { "language": "fr" },\n"transcription": [ ${segments.join(',\n')} ] }`,
    'latin1',
  );
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

describe('parseWhisperJson', () => {
  const [first, second] = latin1('é').split('');
  const heard = parseWhisperJson(
    file(
      segment(
        latin1(' le café, \\"non\\"'),
        token('[_BEG_]', 0, 0, 1),
        token(' le', 320, 500, 0.9),
        token(` caf${first!}`, 500, 800, 0.8),
        token(second!, 800, 900, 0.6),
        token(',', 900, 920, 0.4),
        token(' \\"non\\"', 950, 990, 1),
        token('[_TT_125]', 2500, 2500, 1),
      ),
    ),
  );

  it('gives the language and the text', () => {
    expect(heard.language).toBe('fr');
    expect(heard.utterances).toMatchObject([{ start: 0.32, end: 2.5, text: 'le café, "non"' }]);
  });

  it('gives words of one or more tokens, without control tokens', () => {
    expect(heard.utterances[0]?.words).toEqual([
      { start: 0.32, end: 0.5, text: 'le', confidence: 0.9 },
      { start: 0.5, end: 0.92, text: 'café,', confidence: expect.closeTo(0.6) as number },
      { start: 0.95, end: 0.99, text: '"non"', confidence: 1 },
    ]);
  });

  it.each([' [BLANK_AUDIO]', '(music)', ' *sighs*', ' ', latin1(' ♪♪')])('drops the sound description %j', (text) => {
    expect(parseWhisperJson(file(segment(text, token(text, 0, 100, 0.5)))).utterances).toEqual([]);
  });

  it('accepts line breaks in strings', () => {
    expect(parseWhisperJson(file(segment(' one\ntwo', token(' one\ntwo', 0, 100, 0.5)))).utterances[0]?.text).toBe('one two');
  });

  it('applies the time of the utterance to a token without times', () => {
    const { utterances } = parseWhisperJson(file(segment(' one', '{ "text": " one", "id": 1, "p": 0.5 }')));
    expect(utterances[0]?.words).toEqual([{ start: 0.32, end: 2.5, text: 'one', confidence: 0.5 }]);
  });

  it.each(['', '{', '[]', '{"transcription":[{}],"result":{}}', 'whisper.cpp'])('rejects %j', (text) => {
    expect(() => parseWhisperJson(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'tool-failed' }) as Error);
  });
});
