import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { screenHead, screenName } from '../../../shared/requests/screen-upload.ts';

const mp4 = Buffer.from('\x00\x00\x00\x18ftypisom\x00\x00\x02\x00', 'latin1');
const text = Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nHello\n');
const noise = Buffer.from([0x03, 0x00, 0xa7, 0x99]);

describe('screenName', () => {
  it.each([
    'input/',
    'input_$folder$',
    'input/.DS_Store',
    'input/._video.mp4',
    'input/.video.mp4.Xa12',
    'input/.fuse_hidden0001',
    '.s3keep',
    'input/.AppleDouble/video.mp4',
    'input/@eaDir/video.mp4',
    'input/__MACOSX/video.mp4',
    'input/Thumbs.db',
    'input/desktop.ini',
    'input/Icon\r',
    'input/video.mp4.part',
    'input/video.mp4.crdownload',
    'input/video.mp4.filepart',
    'input/video.mp4~',
  ])('ignores %j', (path) => {
    expect(screenName(path, 100)).toMatchObject({ result: 'ignored', code: 'ignored-file' });
  });

  it('ignores an empty object, and names what to do', () => {
    expect(screenName('input/video.mp4', 0)).toEqual({
      result: 'ignored',
      code: 'empty-file',
      message: '"video.mp4" is empty (0 bytes): upload its content under the same key',
    });
  });

  it.each(['video.mp4', 'a.b.mp4', '...', '..mp4', 'thumbs.mp4', 'part', 'a part.mp4', 'no extension', '-i.mp4'])(
    'admits the name %j',
    (name) => {
      expect(screenName(`input/${name}`, 1)).toBeUndefined();
    },
  );
});

describe('screenHead', () => {
  it.each<[string, Buffer, string | undefined]>([
    ['video.mp4', mp4, undefined],
    ['video', mp4, undefined],
    ['video.txt', mp4, undefined],
    ['cut-off.mp4', noise, undefined],
    ['no extension', noise, undefined],
    ['broken.mp4', text, 'rejected not-media'],
    ['name.srt', text, 'ignored ignored-file'],
    ['name.sub', mp4, 'ignored ignored-file'],
    ['name.nfo', text, 'ignored not-media'],
    ['README', text, 'ignored not-media'],
    ['poster.jpg', Buffer.from('\xff\xd8\xff\xe0\x00\x10JFIF', 'latin1'), 'ignored not-media'],
    ['name.dat', noise, 'ignored not-media'],
  ])('screens %s', (name, head, expected) => {
    const refusal = screenHead(graph, { name, head });
    expect(refusal && `${refusal.result} ${refusal.code}`).toBe(expected);
  });
});
