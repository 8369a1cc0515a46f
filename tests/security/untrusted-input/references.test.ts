import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import stage from '../../../services/stage-ffmpeg-0/stage.ts';
import { FaveError, PermanentError } from '../../../shared/core/errors.ts';
import { chirp, generateMedia, h264, mediaFolder, createPicture, samplesOf, writeMedia } from '../../support/media.ts';
import { runStageLocally, upload, type Ran } from '../../support/stage-harness.ts';
import { aliasReference, dash, hls, startListener, referenceMovie, sdp, urlReference, withBoxes } from './craft.ts';

const server = startListener();

/** A secret of the worker, recognisable as text and as audio (all other files are silent). */
const MARK = 'fave-secret-4711';
const secretText = (): string => writeMedia('secret.txt', `${MARK}\n`.repeat(50));
const secretSound = (): string => generateMedia('secret.wav', ...chirp(1));

/** Builds a movie whose audio is in another file. */
function externalAudio(name: string, reference: Buffer): string {
  const movie = generateMedia('silent.mov', '-f', 'lavfi', '-i', 'anullsrc', '-t', '1', '-c:a', 'pcm_s16le');
  const changed = withBoxes(readFileSync(movie), (type, content) => (type === 'dref' ? reference : content));
  expect(changed.equals(readFileSync(movie))).toBe(false);
  return writeMedia(name, changed);
}

/** Runs stage-ffmpeg-0 on a file. Returns its outputs or its error. */
async function outcomeOf(path: string): Promise<Ran | FaveError> {
  return runStageLocally(stage, upload(path)).catch((error: unknown) => {
    if (error instanceof FaveError) return error;
    throw error;
  });
}

/** Checks that no server was called and that the outputs and errors contain no secret. */
function expectNoLeak(outcome: Ran | FaveError): void {
  expect(server.calls()).toBe(0);
  if (outcome instanceof FaveError) {
    expect(outcome).toBeInstanceOf(PermanentError);
    expect(`${outcome.message}${outcome.stderr ?? ''}`).not.toContain(MARK);
    return;
  }
  for (const { path } of outcome.outputs) {
    expect(readFileSync(path).includes(MARK)).toBe(false);
    if (path.endsWith('.wav')) expect(samplesOf(path, 22_050).every((sample) => sample === 0)).toBe(true);
  }
}

describe('a file that refers to other files', () => {
  const http = (): string => `http://127.0.0.1:${server.port()}/x.ts`;
  test.for<[string, () => string]>([
    ['playlist of a file.m3u8', () => hls(`file://${secretSound()}`)],
    ['playlist of an address.m3u8', () => hls(http())],
    ['playlist under another name.mp4', () => hls(http())],
    ['playlist of a nested protocol.mkv', () => hls(`concat:${secretText()}|${secretText()}`)],
    ['manifest of a file.mpd', () => dash(`file://${secretSound()}`)],
    ['manifest of an address.mpd', () => dash(http())],
    ['concat.mp4', () => `ffconcat version 1.0\nfile '${secretSound()}'\n`],
    ['concat.txt', () => `ffconcat version 1.0\nfile '${http()}'\n`],
    ['session.sdp', () => sdp(server.port())],
    ['captions.ass', () => `[Script Info]\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,,,,,,,{\\fn${secretText()}}x\n`],
    ['captions.srt', () => `1\n00:00:00,000 --> 00:00:01,000\n<img src="file://${secretText()}">\n`],
    [
      'captions.idx',
      () => `# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n`,
    ],
    ['metadata.mp4', () => `;FFMETADATA1\ntitle=${secretText()}\n`],
    ['frame_%03d.jpg', () => 'no picture'],
    ['list.m3u', () => `${secretSound()}\n${http()}\n`],
    ['vector.svg', () => `<svg xmlns="http://www.w3.org/2000/svg"><image href="${http()}"/></svg>`],
  ])('%s', async ([name, text]) => {
    const outcome = await outcomeOf(writeMedia(name, text()));
    expect(outcome).toMatchObject({ code: 'not-media' });
    expectNoLeak(outcome);
  });

  test('treats the name of an image sequence as the name of one file', async () => {
    for (const n of [1, 2, 3]) generateMedia(`shot_00${n}.png`, ...createPicture({ seconds: 0.04 }), '-frames:v', '1');
    const outcome = await outcomeOf(writeMedia('shot_%03d.png', readFileSync(join(mediaFolder(), 'shot_001.png'))));
    expect(outcome).toMatchObject({ code: 'not-media' });
    expectNoLeak(outcome);
  });
});

describe('a movie whose audio is in another file', () => {
  test.for<[string, () => Buffer]>([
    ['by the address of a file', () => urlReference(`file://${secretSound()}`)],
    ['by the address of a server', () => urlReference(`http://127.0.0.1:${server.port()}/x`)],
    ['by an alias of a file', () => aliasReference(secretSound())],
    ['by an alias of an address', () => aliasReference(`http://127.0.0.1:${server.port()}/x`)],
    ['by an alias of a system file', () => aliasReference('/etc/passwd')],
  ])('%s', async ([how, reference]) => {
    expectNoLeak(await outcomeOf(externalAudio(`${how}.mov`, reference())));
  });

  test('rejects a reference movie', async () => {
    const outcome = await outcomeOf(writeMedia('reference.mov', referenceMovie(`http://127.0.0.1:${server.port()}/x.mov`)));
    expect(outcome).toBeInstanceOf(PermanentError);
    expectNoLeak(outcome);
  });
});

test('ignores subtitles that refer to files', async () => {
  const ass = writeMedia(
    'named.ass',
    `[Script Info]\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,,,,,,,{\\fn${secretText()}}${MARK}\n`,
  );
  const film = [...createPicture({ seconds: 1 }), '-f', 'lavfi', '-i', 'anullsrc', '-i', ass, '-t', '1', ...h264, '-c:s', 'ass'];
  const outcome = await outcomeOf(generateMedia('captioned.mkv', ...film, '-map', '0', '-map', '1', '-map', '2'));
  expect(outcome).not.toBeInstanceOf(FaveError);
  expectNoLeak(outcome);
});
