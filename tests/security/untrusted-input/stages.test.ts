import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Kind, kinds } from '../../../schemas/kinds.ts';
import cutting from '../../../services/stage-ffmpeg-1/stage.ts';
import encoding from '../../../services/stage-ffmpeg-3/stage.ts';
import hearing from '../../../services/stage-deepspeech/stage.ts';
import listening from '../../../services/stage-librosa/stage.ts';
import { FaveError, PermanentError } from '../../../shared/core/errors.ts';
import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { chirp, generateMedia, createPicture, writeMedia } from '../../support/media.ts';
import { runStageLocally, type LocalObject, type Ran } from '../../support/stage-harness.ts';
import { dash, hls, startListener, sdp, urlReference, withBoxes } from './craft.ts';

const server = startListener();

/** A secret of the worker. */
const MARK = 'fave-secret-4711';
const secret = (): string => writeMedia('secret.txt', `${MARK}\n`.repeat(50));
const http = (): string => `http://127.0.0.1:${server.port()}/x.ts`;

/** Returns a WAV file whose header states four gigabytes. */
const promising = (): Buffer => {
  const sound = readFileSync(generateMedia('short.wav', ...chirp(0.1, 16_000)));
  sound.writeUInt32LE(0xff_ff_ff_f0, sound.indexOf('data') + 4);
  return sound;
};

/** Returns a movie whose video is at a URL. */
const externalVideo = (): Buffer =>
  withBoxes(readFileSync(generateMedia('plain.mov', ...createPicture({ seconds: 1 }), '-c:v', 'mpeg4')), (type, content) =>
    type === 'dref' ? urlReference(http()) : content,
  );

/** Returns a movie of one PNG whose header states 60 000 pixels per side. */
const enormous = (): Buffer => {
  const film = readFileSync(generateMedia('png.mov', ...createPicture({ seconds: 0.04 }), '-frames:v', '1', '-c:v', 'png'));
  for (const side of [4, 8]) film.writeUInt32BE(60_000, film.indexOf('IHDR') + side);
  return film;
};

const crafted: readonly [string, () => string | Buffer][] = [
  ['an empty file', () => ''],
  ['a playlist of a file', () => hls(`file://${secret()}`)],
  ['a playlist of an address', () => hls(http())],
  ['a manifest of an address', () => dash(http())],
  ['a script that joins files', () => `ffconcat version 1.0\nfile '${secret()}'\n`],
  ['a script that joins addresses', () => `ffconcat version 1.0\nfile '${http()}'\n`],
  ['a session description', () => sdp(server.port())],
  ['an SVG image', () => `<svg xmlns="http://www.w3.org/2000/svg"><image href="${http()}"/></svg>`],
  ['a video at another address', externalVideo],
  ['audio with a declared size of 4 GB', promising],
  ['an image with a declared size of 3.6 billion pixels', enormous],
];

/** Files that a stage may process, to silence or to their existing part. */
const USABLE = /another address|declared/;

/** Stage, consumed kind and file name. */
const stages: readonly [AnyStage, Kind, string][] = [
  [listening, kinds.audio, 'audio.wav'],
  [hearing, kinds.speech, 'audio.wav'],
  [encoding, kinds.clip, 'clip.mp4'],
  [encoding, kinds.clip, 'clip.mkv'],
];

/** Runs a stage on a file. Returns its outputs or its error. */
async function outcomeOf(stage: AnyStage, item: LocalObject, siblings: readonly LocalObject[] = []): Promise<Ran | FaveError> {
  return runStageLocally(stage, item, { siblings, options: stage === hearing ? { speech: 'pocketsphinx' } : {} }).catch(
    (error: unknown) => {
      if (error instanceof FaveError) return error;
      throw error;
    },
  );
}

/** Checks that the server received no request, the secret is not in the output, and an error is permanent. */
function expectHarmless(outcome: Ran | FaveError): void {
  expect(server.calls()).toBe(0);
  if (outcome instanceof FaveError) {
    expect(outcome).toBeInstanceOf(PermanentError);
    expect(`${outcome.message}${outcome.stderr ?? ''}`).not.toContain(MARK);
  } else for (const { path } of outcome.outputs) expect(readFileSync(path).includes(MARK)).toBe(false);
}

const attributes = { start: 0, end: 1 };
const indices = { clip: 1 };

describe.each(stages.map(([stage, kind, file]) => [stage.name, file, stage, kind] as const))('%s', (name, file, stage, kind) => {
  test.for(crafted)(`handles %s safely as ${file}`, async ([what, content]) => {
    const path = writeMedia(`${name} ${what} ${file}`, content());
    const video = { codec: 'h264', width: 2, height: 2, rotation: 0, fps: 25, pixel_format: 'yuv420p' };
    const mediaFacts = { format: 'mov', duration: 1, size: 1, video, audio: null };
    const media = writeMedia('media.json', JSON.stringify(mediaFacts));
    const outcome = await outcomeOf(stage, { kind, path, indices, attributes }, [{ kind: kinds.media, path: media }]);
    expectHarmless(outcome);
    if (!USABLE.test(what)) expect(outcome).toBeInstanceOf(PermanentError);
  });
});

describe('stage-ffmpeg-1', () => {
  const cut = (batch: unknown, input: string): Promise<Ran | FaveError> => {
    const media = { format: 'mov', duration: 1, size: 1, video: null, audio: { codec: 'aac', sample_rate: 44_100, channels: 1 } };
    return outcomeOf(cutting, { kind: kinds.batch, path: writeMedia('batch.json', JSON.stringify(batch)) }, [
      { kind: kinds.media, path: writeMedia('media of batch.json', JSON.stringify(media)) },
      { kind: kinds.input, path: input },
    ]);
  };
  const clips = (...all: { start: number; end: number }[]) => ({ first: 1, clips: all });

  test.for(crafted.filter(([what]) => !USABLE.test(what)))(
    'cuts nothing from %s, even if batch.json and media.json are valid',
    async ([what, content]) => {
      const outcome = await cut(clips({ start: 0, end: 1 }), writeMedia(`input ${what}.mp4`, content()));
      expectHarmless(outcome);
      expect(outcome).toMatchObject({ code: 'tool-failed' });
    },
  );

  test.each<[string, unknown]>([
    ['an empty object', {}],
    ['text', 'batch'],
    ['more clips than an item may have', clips(...Array.from({ length: 33 }, () => ({ start: 0, end: 1 })))],
    ['a clip that a key cannot number', { ...clips({ start: 0, end: 1 }), first: 9_969 }],
    ['a clip before the start', clips({ start: -1, end: 1 })],
  ])('rejects a batch that is %s', async (_, batch) => {
    const input = generateMedia('sound.m4a', ...chirp(1), '-c:a', 'aac');
    expect(await cut(batch, input)).toMatchObject({ code: 'invalid-batch' });
  });
});
