import { describe, expect, it } from 'vitest';
import { parseWav } from '../../../services/stage-deepspeech/wav.ts';
import { PermanentError } from '../../../shared/errors.ts';
import { wavFile } from './clip.ts';

const samples = Int16Array.of(0, 1, -1, 32_767, -32_768);

describe('a WAV file', () => {
  it('gives its samples and where they begin', () => {
    expect(parseWav(wavFile(samples))).toEqual({ header: 44, samples });
  });

  it('may have other chunks before its samples, of odd length too', () => {
    const plain = wavFile(samples);
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const file = Buffer.concat([plain.subarray(0, 36), list, plain.subarray(36)]);
    expect(parseWav(file)).toEqual({ header: 56, samples });
  });

  it.each([0, 0xff_ff_ff_ff])('of unknown length (%d) goes on to its end', (size) => {
    expect(parseWav(wavFile(samples, { size })).samples).toEqual(samples);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('this is not a sound, whatever its name says')],
    ['zeros', Buffer.alloc(4096)],
    ['another rate', wavFile(samples, { rate: 22_050 })],
    ['two channels', wavFile(samples, { channels: 2 })],
    ['24 bits', wavFile(samples, { bits: 24 })],
    ['a header only', wavFile(samples).subarray(0, 36)],
    ['half a header', wavFile(samples).subarray(0, 30)],
    ['less than it says', wavFile(samples, { size: 100_000 })],
  ])('that is %s is refused', (_, file) => {
    expect(() => parseWav(file)).toThrow(PermanentError);
    expect(() => parseWav(file)).toThrow(expect.objectContaining({ code: 'unreadable-audio' }) as Error);
  });
});
