import { describe, expect, it } from 'vitest';
import { analyse } from '../../../services/stage-librosa/analyse.ts';
import { bytesOf, chunk, format, temporary, wav } from './harness.ts';
import { bursts } from './signal.ts';

const samples = bursts().subarray(0, 10_001);
const data = bytesOf(samples);

async function read(content: Buffer): ReturnType<typeof analyse> {
  return analyse(await temporary(content), new AbortController().signal);
}

describe('a WAV file is read whatever its header looks like', () => {
  const plain = wav(format(), chunk('data', data));

  it.each([
    [
      'with a LIST chunk of odd size before the samples',
      wav(format(), chunk('LIST', Buffer.from('INFOISFT!')), chunk('data', data)),
    ],
    ['with a chunk before the format', wav(chunk('JUNK', Buffer.alloc(28)), format(), chunk('data', data))],
    ['with a chunk after the samples', wav(format(), chunk('data', data), chunk('LIST', Buffer.from('INFO')))],
    ['with size 0xFFFFFFFF, from a pipe', wav(format(), chunk('data', data, 0xff_ff_ff_ff))],
    ['with size 0, from a pipe', wav(format(), chunk('data', data, 0))],
    ['with half a sample at its end', Buffer.concat([wav(format(), chunk('data', data, 0xff_ff_ff_ff)), Buffer.from('!')])],
  ])('%s', async (_, content) => {
    expect(await read(content)).toEqual(await read(plain));
  });

  it('longer than one read', async () => {
    const long = bursts();
    const { samples, rms } = await read(wav(format(), chunk('data', bytesOf(long))));
    expect(samples).toBe(long.length);
    // A frame in the middle, beyond the first pieces: its level from its samples, by the definition.
    const frame = [...long.subarray(1_000 * 512 - 1_024, 1_000 * 512 + 1_024)].map((sample) => sample / 32_768);
    expect(rms[1_000]).toBeCloseTo(Math.sqrt(frame.reduce((sum, sample) => sum + sample ** 2, 0) / 2_048), 12);
  });
});

describe('what cannot be read is a permanent error that says why', () => {
  it.each([
    ['an empty file', Buffer.alloc(0), 'not a WAV file'],
    ['text', Buffer.from('this is not audio but it is long enough to be a header of one'), 'not a WAV file'],
    ['zeros', Buffer.alloc(4_096), 'not a WAV file'],
    ['zeros after the start', Buffer.concat([wav(), Buffer.alloc(4_096)]), 'no samples'],
    ['only a header', wav(format()), 'no samples'],
    ['no samples', wav(format(), chunk('data', Buffer.alloc(0))), 'no samples'],
    ['one byte', wav(format(), chunk('data', Buffer.alloc(1))).subarray(0, 45), 'no samples'],
    ['a file cut short', wav(format(), chunk('data', data)).subarray(0, 9_000), '11046 of its bytes are missing'],
    ['a format cut short', wav(format()).subarray(0, 24), 'header is cut short'],
    ['samples without a format', wav(chunk('data', data)), 'before their format'],
    ['stereo', wav(format({ channels: 2 }), chunk('data', data)), '2 channels of 16 bits at 22050 Hz'],
    ['another rate', wav(format({ rate: 16_000 }), chunk('data', data)), '16000 Hz'],
    ['24 bits', wav(format({ bits: 24 }), chunk('data', data)), '24 bits'],
  ])('%s', async (_, content, why) => {
    await expect(read(content)).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'unreadable-audio',
      message: expect.stringContaining(why) as string,
    });
  });
});
