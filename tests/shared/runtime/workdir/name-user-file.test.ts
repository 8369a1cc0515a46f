import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../shared/core/errors.ts';
import { nameUserFile } from '../../../../shared/runtime/workdir/name-user-file.ts';
import { ToolError } from '../../../../shared/tools/tool-error.ts';

const dir = '/tmp/fave/item-1';
const local = `${dir}/sources/clip/1/clip.mkv`;
const clip = { item: 'clip_0001', key: 'requests/r/stage-ffmpeg-1/clip_0001/clip.mkv', file: 'čaj.mp4', dir };
const input = { item: 'input', key: 'requests/r/input/čaj.mp4', file: 'čaj.mp4', dir };

const failure = (stderr: string, how: object = { exitCode: 1 }): ToolError =>
  new ToolError({ command: 'ffmpeg', args: ['-i', `file:${local}`, `${dir}/video.mp4`], stderr, ...how });

describe('nameUserFile', () => {
  it('names the file of the user, the reason and what to do', () => {
    expect(nameUserFile(failure(`file:${local}: Invalid data found\nConversion failed!\n`), clip)).toMatchObject({
      code: 'tool-failed',
      message:
        'ffmpeg failed with exit code 1 on clip_0001 of "čaj.mp4": Invalid data found; check that the file plays; fave dlq show prints the output of the tool',
      stderr: `file:${local}: Invalid data found\nConversion failed!\n`,
    });
    expect(nameUserFile(failure('Invalid data found\n'), input)).toMatchObject({
      message: expect.stringMatching(/^ffmpeg failed with exit code 1 on "čaj.mp4": Invalid data found; /) as string,
    });
  });

  it('gives no advice about the file if the tool was killed, took too long or is missing', () => {
    expect(nameUserFile(failure('', { killedBy: 'SIGKILL' }), input)).toMatchObject({
      message: 'ffmpeg was killed by SIGKILL on "čaj.mp4"',
    });
    expect(nameUserFile(failure('', { timedOut: true }), input)).toMatchObject({
      code: 'tool-timeout',
      message: 'ffmpeg took too long and was killed on "čaj.mp4"',
    });
    const missing = failure('', { cause: new Error('ENOENT') });
    expect(nameUserFile(missing, input)).toBe(missing);
  });

  it('replaces the name of a local copy in any other error', () => {
    expect(nameUserFile(new PermanentError('not-media', '"clip.mkv" is not a readable video'), clip)).toMatchObject({
      code: 'not-media',
      message: 'clip_0001 of "čaj.mp4" is not a readable video',
    });
    // The name is not safe for every tool, so the local copy has another one.
    expect(nameUserFile(new PermanentError('not-media', '"file.mp4" is damaged'), clip)).toMatchObject({
      message: '"čaj.mp4" is damaged',
    });
    const other = new Error('clip.mkv');
    expect(nameUserFile(other, clip)).toBe(other);
  });
});
