import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import { withWav } from '../../../shared/media/wav.ts';
import { wavFile, writeWav } from '../../services/stage-deepspeech/clip.ts';

const samples = Int16Array.of(0, 1, -1, 32_767, -32_768);

/** Where a file's samples begin, and what they are. */
async function read(file: Buffer): Promise<{ offset: number; samples: number[] }> {
  return withWav(writeWav('read.wav', file), 16_000, async ({ offset, samples: count, pieces }) => {
    const found: number[] = [];
    for await (const piece of pieces()) found.push(...piece.map((sample) => sample * 32_768));
    expect(found).toHaveLength(count);
    return { offset, samples: found };
  });
}

describe('a WAV file', () => {
  it('gives its samples and where they begin', async () => {
    expect(await read(wavFile(samples))).toEqual({ offset: 44, samples: [...samples] });
  });

  it('of no length has none', async () => {
    expect(await read(wavFile(new Int16Array(0)))).toEqual({ offset: 44, samples: [] });
  });

  it('may have other chunks before its samples, of odd length too', async () => {
    const plain = wavFile(samples);
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const file = Buffer.concat([plain.subarray(0, 36), list, plain.subarray(36)]);
    expect(await read(file)).toEqual({ offset: 56, samples: [...samples] });
  });

  it.each([0, 0xff_ff_ff_ff])('of unknown length (%d) goes on to its end', async (size) => {
    expect((await read(wavFile(samples, { size }))).samples).toEqual([...samples]);
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
  ])('that is %s is refused', async (_, file) => {
    const refused = await read(file).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PermanentError);
    expect(refused).toMatchObject({ code: 'unreadable-audio' });
  });
});
