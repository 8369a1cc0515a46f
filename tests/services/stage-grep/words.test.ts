import { expect, test } from 'vitest';
import type { Transcript } from '../../../schemas/generated/types.ts';
import { matches } from '../../../services/stage-grep/words.ts';

function saying(text: string, separator = ' '): Transcript {
  const words = text.split(separator).map((word, n) => ({ text: word, start: n, end: n + 1 }));
  return {
    engine: 'none',
    model: null,
    language: 'en',
    start: 0,
    end: words.length,
    text,
    utterances: [{ start: 0, end: words.length, text, words }],
  };
}

const kennedy = saying('and so, my fellow Americans: ask not what your country can do for you');

test('finds a word in any case, with punctuation', () => {
  expect(matches('AMERICANS', kennedy)).toEqual([{ text: 'Americans:', start: 4, end: 5, exact: true }]);
});

test('finds a word by its stem and marks it as inexact', () => {
  expect(matches('countries', kennedy)).toEqual([{ text: 'country', start: 9, end: 10, exact: false }]);
});

test('requires every word of the query', () => {
  expect(matches('ask country', kennedy).map(({ text }) => text)).toEqual(['ask', 'country']);
  expect(matches('ask coffee', kennedy)).toEqual([]);
});

test.each([
  ['café', 'cafe\u0301'],
  ['cafe\u0301', 'café'],
  ['दान', 'उसने दान दो'],
  ['CAFE', 'ＣＡＦＥ'],
  ['שלום', 'אמר שלום.'],
  ['متن‌ها', 'متن‌ها را'],
])('finds %s in %s', (query, text) => {
  expect(matches(query, saying(text))).toMatchObject([{ exact: true }]);
});

test.each([
  ['दिन', 'उसने दान दो'],
  ['cafe', 'café'],
  ['dün', 'dun'],
])('distinguishes %s from the words of %s', (query, text) => {
  expect(matches(query, saying(text))).toEqual([]);
});

test.each([
  ['智能', '今天我们来谈谈人工智能在视频分析中的应用', ['今天我们来谈谈人工智能在视频分析中的应用']],
  ['智能', '今天 我们 人工 智能 视频', ['智能']],
  ['智能', '人工智 能在 视频', ['人工智', '能在']],
  ['人工智能 video', '谈谈 人工智能 Video 分析', ['人工智能', 'Video']],
  ['カメラ', 'このｶﾒﾗを 使う', ['このｶﾒﾗを']],
  ['スーパー', '新しいスーパーへ', ['新しいスーパーへ']],
  ['กิน', 'ผมกินข้าว', ['ผมกินข้าว']],
  ['AI', '人工AI技术', ['人工AI技术']],
  ['𠮷野家', '今日は𠮷野家へ', ['今日は𠮷野家へ']],
])('finds %s inside %s, a text without spaces', (query, text, words) => {
  expect(matches(query, saying(text)).map((word) => word.text)).toEqual(words);
});

test('does not find a phrase across other words', () => {
  expect(matches('智能', saying('智 力 能'))).toEqual([]);
});

test('finds neither parts of words nor an empty query', () => {
  expect(matches('count', kennedy)).toEqual([]);
  expect(matches(' -- ', kennedy)).toEqual([]);
});
