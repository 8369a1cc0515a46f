import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitWav, withWav } from '../../../shared/media/wav.ts';
import { mediaFolder, writeMedia } from '../../support/media.ts';
import { bytesOf, chunk, format, wav, wavFile } from '../../support/wav.ts';

const samples = Int16Array.of(0, 1, -1, 32_767, -32_768, 7, 8);
const data = bytesOf(samples);

/** Reads a WAV file of 22 050 Hz and returns its samples and the offset of the first one. */
async function read(file: Buffer): Promise<{ offset: number; samples: number[] }> {
  return withWav(writeMedia('read.wav', file), 22_050, async ({ offset, samples: count, pieces }) => {
    const found: number[] = [];
    for await (const piece of pieces()) for (const sample of piece) found.push(sample * 32_768);
    expect(found).toHaveLength(count);
    return { offset, samples: found };
  });
}

describe('withWav', () => {
  it('returns the samples and their offset', async () => {
    expect(await read(wavFile(samples))).toEqual({ offset: 44, samples: [...samples] });
  });

  it('returns no samples for an empty data chunk', async () => {
    expect(await read(wavFile(new Int16Array(0)))).toEqual({ offset: 44, samples: [] });
  });

  it('reads files that are longer than one piece', async () => {
    const long = Int16Array.from({ length: 200_000 }, (_, n) => (n * 7_919) % 32_768);
    expect((await read(wavFile(long))).samples).toEqual([...long]);
  });

  const streamed = wav(format(), chunk('data', data, 0xff_ff_ff_ff));
  it.each([
    ['a LIST chunk of odd size before the samples', wav(format(), chunk('LIST', Buffer.from('INFOISFT!')), chunk('data', data))],
    ['a chunk before the format', wav(chunk('JUNK', Buffer.alloc(28)), format(), chunk('data', data))],
    ['a chunk after the samples', wav(format(), chunk('data', data), chunk('LIST', Buffer.from('INFO')))],
    ['size 0xFFFFFFFF, from a pipe', streamed],
    ['size 0, from a pipe', wav(format(), chunk('data', data, 0))],
    ['half a sample at its end', Buffer.concat([streamed, Buffer.from('!')])],
  ])('reads a file with %s', async (_, file) => {
    expect((await read(file)).samples).toEqual([...samples]);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'not a WAV file'],
    ['text', Buffer.from('this is not audio but it is long enough to be a header of one'), 'not a WAV file'],
    ['zeros', Buffer.alloc(4_096), 'not a WAV file'],
    ['zeros after the start', Buffer.concat([wav(), Buffer.alloc(4_096)]), 'no samples'],
    ['only a header', wav(format()), 'no samples'],
    [
      'truncated samples',
      wav(format(), chunk('data', Buffer.alloc(20_000))).subarray(0, 9_000),
      '11044 of its bytes are missing',
    ],
    ['a truncated format', wav(format()).subarray(0, 24), 'header is cut short'],
    ['samples without a format', wav(chunk('data', data)), 'before their format'],
    ['two channels', wavFile(samples, { channels: 2 }), '2 channels of 16 bits at 22050 Hz'],
    ['another rate', wavFile(samples, { rate: 16_000 }), '16000 Hz'],
    ['24 bits', wavFile(samples, { bits: 24 }), '24 bits'],
  ])('rejects %s', async (_, file, why) => {
    await expect(read(file)).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'unreadable-audio',
      message: expect.stringContaining(why),
    });
  });
});

describe('fitWav', () => {
  const fit = async (file: Buffer | undefined, count: number): Promise<number[]> => {
    const path = file ? writeMedia('fit.wav', file) : join(mediaFolder(), `silence-${count}.wav`);
    await fitWav(path, { rate: 22_050, samples: count });
    return (await read(readFileSync(path))).samples;
  };

  it('removes samples from the end', async () => {
    expect(await fit(wavFile(samples), 3)).toEqual([0, 1, -1]);
  });

  it('appends silence', async () => {
    expect(await fit(wavFile(samples), 9)).toEqual([...samples, 0, 0]);
  });

  it('creates silence', async () => {
    expect(await fit(undefined, 4)).toEqual([0, 0, 0, 0]);
  });
});
