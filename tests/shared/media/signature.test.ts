import { openSync, readFileSync, readSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSignature, SIGNATURE_BYTES } from '../../../shared/media/signature.ts';
import { chirp, createPicture, findMedia, generateMedia, h264, NO_MEDIA } from '../../support/media.ts';

function readHead(path: string, position = 0): Buffer {
  const buffer = Buffer.alloc(SIGNATURE_BYTES);
  return buffer.subarray(0, readSync(openSync(path, 'r'), buffer, 0, SIGNATURE_BYTES, position));
}

const picture = [...createPicture({ seconds: 0.4, size: '64x64' }), ...chirp(0.4, 48_000)];
const sound = chirp(0.4, 48_000);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('readSignature', () => {
  it.each<[string, readonly string[]]>([
    ['a.mp4', [...picture, ...h264]],
    ['fragmented.mp4', [...picture, ...h264, '-movflags', 'frag_keyframe+empty_moov']],
    ['a.mov', [...picture, ...h264]],
    ['a.mkv', [...picture, ...h264]],
    ['a.avi', [...picture, '-c:v', 'mpeg4']],
    ['a.flv', [...picture, '-c:v', 'flv1', '-ar', '44100']],
    ['a.asf', picture],
    ['a.ts', [...picture, ...h264]],
    ['a.m2ts', [...picture, ...h264]],
    ['a.mpg', picture],
    ['a.m2v', [...picture, '-map', '0:v']],
    ['a.h264', [...picture, '-map', '0:v', ...h264]],
    ['a.mxf', [...picture, '-c:v', 'mpeg2video']],
    ['a.nut', picture],
    ['a.ogg', sound],
    ['a.wav', sound],
    ['a.w64', sound],
    ['rf64.wav', [...sound, '-rf64', 'always']],
    ['a.mp3', sound],
    ['bare.mp3', [...sound, '-id3v2_version', '0', '-write_xing', '0']],
    ['a.aac', sound],
    ['a.ac3', sound],
    ['a.eac3', sound],
    ['a.flac', sound],
    ['a.aiff', sound],
    ['a.caf', sound],
    ['a.au', sound],
    ['a.wv', sound],
    ['a.tta', sound],
    ['a.gif', [...picture, '-map', '0:v']],
    ['a.apng', [...picture, '-map', '0:v']],
  ])('recognises %s', (name, args) => {
    expect(readSignature(readHead(generateMedia(name, ...args)))).toBe('media');
  });

  it('recognises a transport stream that begins in the middle of a packet', () => {
    expect(readSignature(readHead(generateMedia('a.ts', ...picture, ...h264), 1_000))).toBe('media');
  });

  it('recognises an animated WebP, not a still one', () => {
    const webp = (flags: number): Buffer =>
      latin1(`RIFF\x24\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00${String.fromCharCode(flags)}\x00\x00\x00`);
    expect([webp(0x02), webp(0x12), webp(0x10), latin1('RIFF\x24\x00\x00\x00WEBPVP8 ')].map(readSignature)).toEqual([
      'media',
      'media',
      'other',
      'other',
    ]);
  });

  it.each<[string, Buffer]>([
    ['UTF-8 subtitles', Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nčaj\n')],
    ['subtitles in a code page', latin1('1\r\n00:00:01,000 --> 00:00:02,000\r\n\xcf\xf0\xe8\xe2\xe5\xf2\r\n')],
    ['UTF-16 text', Buffer.from('\ufeff[.ShellClassInfo]\r\nčaj', 'utf16le')],
    ['UTF-16BE text', Buffer.from('\ufeffčaj', 'utf16le').swap16()],
    ['a playlist', Buffer.from('#EXTM3U\n#EXT-X-VERSION:3\n')],
    ['one character', Buffer.from('x')],
    ['.DS_Store', latin1('\x00\x00\x00\x01Bud1\x00\x00\x10\x00')],
    ['AppleDouble', latin1('\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ')],
    ['Thumbs.db', latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00')],
    ['a JPEG', latin1('\xff\xd8\xff\xe0\x00\x10JFIF\x00')],
    ['a PNG', latin1('\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x01\x00IDAT')],
    ['a HEIC photo', latin1('\x00\x00\x00\x18ftypheic\x00\x00\x00\x00')],
    ['an AVIF picture', latin1('\x00\x00\x00\x1cftypavif\x00\x00\x00\x00')],
    ['a PDF', latin1('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00')],
    ['an archive', latin1('PK\x03\x04\x14\x00\x00\x00')],
    ['a program', latin1('\x7fELF\x02\x01\x01\x00')],
  ])('does not take %s for media', (_, head) => {
    expect(readSignature(head)).toBe('other');
  });

  it.each<[string, Buffer]>([
    ['no byte', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(SIGNATURE_BYTES)],
    ['noise', Buffer.from(Array.from({ length: 3_000 }, (_, n) => (n * n * 7 + 13 * n + 128) % 251))],
  ])('does not decide on %s', (_, head) => {
    expect(readSignature(head)).toBe('unknown');
  });

  it.for(['walk-and-talk.mp4', 'jfk.wav', 'walk-and-talk-copy.webm', 'odd/animated.gif', 'reports/mpts.ts', 'reports/rgb24.avi'])(
    'recognises %s',
    (name, { skip }) => {
      const path = findMedia(name);
      if (path === undefined) return skip(NO_MEDIA);
      expect(readSignature(readFileSync(path).subarray(0, SIGNATURE_BYTES))).toBe('media');
    },
  );
});
