import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exec } from '../../support/exec.ts';
import { ffmpegArgs, fileInput } from '../../../shared/media/ffmpeg.ts';
import { probe } from '../../../shared/media/probe.ts';
import { chirp, generateMedia, mediaFolder } from '../../support/media.ts';

describe('ffmpegArgs', () => {
  test('restricts demuxers and protocols of an upload, and writes bit-exact output', () => {
    const args = ffmpegArgs(fileInput('/x/a b.mp4', '-ss', '5'), ['-c:a', 'pcm_s16le'], '/out/a.wav');
    expect(args.slice(0, 7)).toEqual([
      ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'],
      ...['-protocol_whitelist', 'file,pipe'],
    ]);
    expect(args.indexOf('-format_whitelist')).toBeLessThan(args.indexOf('-i'));
    expect(args.indexOf('-ss')).toBeLessThan(args.indexOf('-i'));
    expect(args[args.indexOf('-i') + 1]).toBe('file:/x/a b.mp4');
    expect(args).toEqual(expect.arrayContaining(['-y', '-map_metadata', '-fflags', '+bitexact', '-flags']));
    expect(args.at(-1)).toBe('/out/a.wav');
  });

  test('keeps a path with spaces, quotes or a dollar sign as one argument', () => {
    const name = `/x/-a "b" 'c' $(d);e.mp4`;
    expect(ffmpegArgs(fileInput(name), [], '/out.wav')).toContain(`file:${name}`);
  });
});

describe('probe of an untrusted file', () => {
  const secret = generateMedia('secret.wav', ...chirp(1));
  const disguised: [string, string][] = [
    ['concat.mp4', `ffconcat version 1.0\nfile '${secret}'\n`],
    ['list.m3u8', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`],
    ['session.sdp', 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n'],
    ['subtitle.mp4', '1\n00:00:00,000 --> 00:00:02,000\nhello\n'],
  ];
  test.each(disguised)('does not open files that %s refers to', async (name, text) => {
    const path = join(mediaFolder(), name);
    writeFileSync(path, text);
    await expect(probe(exec, path)).rejects.toMatchObject({ code: 'not-media' });
  });

  test.each([`-i.wav`, `a b'c"d$(touch x).wav`, 'concat:x|y.wav', '%04d.wav', 'http:.wav'])(
    'takes the name %s literally',
    async (name) => {
      const path = join(mediaFolder(), name);
      copyFileSync(secret, path);
      await expect(probe(exec, path)).resolves.toMatchObject({ format: 'wav', duration: 1 });
    },
  );
});
