import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exec } from '../../../shared/tools/exec.ts';
import { argumentsOf, createLavfiCommand, createFileCommand } from '../../../shared/media/ffmpeg.ts';
import { probe } from '../../../shared/media/probe.ts';
import { chirp, generateMedia, mediaFolder } from '../../support/media.ts';

describe('arguments', () => {
  test('of a user file are guarded, quiet and bit-exact', () => {
    const args = argumentsOf(createFileCommand('/x/a b.mp4', '-ss', '5').audioCodec('pcm_s16le'), '/out/a.wav');
    expect(args.slice(0, 6)).toEqual(['-nostdin', '-hide_banner', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe']);
    expect(args.indexOf('-format_whitelist')).toBeLessThan(args.indexOf('-i'));
    expect(args.indexOf('-ss')).toBeLessThan(args.indexOf('-i'));
    expect(args[args.indexOf('-i') + 1]).toBe('file:/x/a b.mp4');
    expect(args).toEqual(expect.arrayContaining(['-y', '-map_metadata', '-fflags', '+bitexact', '-flags']));
    expect(args.at(-1)).toBe('/out/a.wav');
  });

  test('keep an option value with spaces, quotes or a dollar whole', () => {
    const name = `/x/-a "b" 'c' $(d);e.mp4`;
    expect(argumentsOf(createFileCommand(name), '/out.wav')).toContain(`file:${name}`);
  });

  test('of a generated source name lavfi', () => {
    expect(argumentsOf(createLavfiCommand('anullsrc'), '/o.wav').slice(4, 8)).toEqual(['-f', 'lavfi', '-i', 'anullsrc']);
  });
});

describe('hostile files', () => {
  const secret = generateMedia('secret.wav', ...chirp(1));
  const disguised: [string, string][] = [
    ['concat.mp4', `ffconcat version 1.0\nfile '${secret}'\n`],
    ['list.m3u8', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`],
    ['session.sdp', 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n'],
    ['subtitle.mp4', '1\n00:00:00,000 --> 00:00:02,000\nhello\n'],
  ];
  test.each(disguised)('%s is not opened', async (name, text) => {
    const path = join(mediaFolder(), name);
    writeFileSync(path, text);
    await expect(probe(exec, path)).rejects.toMatchObject({ code: 'not-media' });
  });

  test.each([`-i.wav`, `a b'c"d$(touch x).wav`, 'concat:x|y.wav', '%04d.wav', 'http:.wav'])(
    'the name %s is only a name',
    async (name) => {
      const path = join(mediaFolder(), name);
      copyFileSync(secret, path);
      await expect(probe(exec, path)).resolves.toMatchObject({ format: 'wav', duration: 1 });
    },
  );
});
