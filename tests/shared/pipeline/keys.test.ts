import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kinds, type Kind } from '../../../schemas/kinds.ts';
import {
  contentTypeOf,
  itemId,
  metadataPaths,
  parseKey,
  pathOf,
  REQUEST_ID,
  requestPrefix,
  splitKey,
} from '../../../shared/pipeline/keys.ts';
import { NO_REQUEST } from '../../../shared/bus/topology.ts';

const all: readonly Kind[] = Object.values(kinds);
const requestId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).filter((id) => id !== NO_REQUEST);
const index = fc.integer({ min: 1, max: 9_999 });
const file = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((name) => !name.includes('/'));

describe('a key', () => {
  it('is parsed back to its kind, numbers and file name', () => {
    fc.assert(
      fc.property(requestId, fc.constantFrom(...all), index, index, file, fc.nat(), (id, kind, clip, frame, name, choice) => {
        const extension = kind.extensions?.[choice % kind.extensions.length];
        const numbers = { batch: clip, clip, frame };
        const path = pathOf(kind, { indices: numbers, file: name, ...(extension !== undefined && { extension }) });
        const indices = Object.fromEntries(Object.entries(numbers).filter(([key]) => kind.key.includes(`{${key}}`)));
        expect(parseKey(requestPrefix(id) + path, all)).toEqual({ requestId: id, path, kind, indices });
      }),
    );
  });

  it('matches at most one kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), index, index, file, (kind, clip, frame, name) => {
        const path = pathOf(kind, { indices: { batch: clip, clip, frame }, file: name });
        expect(all.filter((other) => parseKey(`requests/a/${path}`, [other]))).toEqual([kind]);
      }),
    );
  });

  it.each(['$&', '$1', '{clip}', '..', ' ', '+', '%2B', 'a b.mp4', 'čaj ☕.mp4', 'input', "it's; rm -rf.mp4", '-i', '\n'])(
    'may have a file called %j',
    (name) => {
      const path = pathOf(kinds.input, { file: name });
      expect(path).toBe(`input/${name}`);
      expect(parseKey(`requests/r/${path}`, all)?.kind).toBe(kinds.input);
    },
  );

  it.each([
    'requests/',
    'requests//input/a.mp4',
    'requests/a',
    'requests/a b/input/a.mp4',
    'requests/a.b/input/a.mp4',
    'requests/a*/input/a.mp4',
    `requests/${'a'.repeat(65)}/input/a.mp4`,
    `requests/${NO_REQUEST}/input/a.mp4`,
    'Requests/a/input/a.mp4',
    '/requests/a/input/a.mp4',
    'requests/a/input/',
    'requests/a/input/b/c.mp4',
    'requests/a/stage-ffmpeg-0/audioXwav',
    'requests/a/stage-ffmpeg-0/audio.wav.part',
    'requests/a/stage-ffmpeg-1/clip_1/clip.mp4',
    'requests/a/stage-ffmpeg-1/clip_00001/clip.mp4',
    'requests/a/stage-ffmpeg-1/clip_0001/clip.avi',
    'requests/a/stage-ffmpeg-1/clip_٠٠٠١/clip.mp4',
  ])('does not match %j', (key) => {
    expect(parseKey(key, all)).toBeUndefined();
  });

  it('is split if the request id is valid', () => {
    expect(splitKey('requests/a_-9/x//y')).toEqual({ requestId: 'a_-9', path: 'x//y' });
    expect(splitKey('memo/a/b')).toBeUndefined();
  });
});

it('accepts the same request ids in keys and in messages', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../schemas/events/landed-message.schema.json', import.meta.url), 'utf8'),
  ) as {
    definitions: { request_id: { pattern: string } };
  };
  expect(schema.definitions.request_id.pattern).toBe(REQUEST_ID.source);
});

describe('pathOf', () => {
  it.each([
    ['a number', () => pathOf(kinds.clip)],
    ['a file name', () => pathOf(kinds.input)],
    ['an extension that the kind has', () => pathOf(kinds.clip, { indices: { clip: 1 }, extension: 'avi' })],
  ])('needs %s', (_, build) => {
    expect(build).toThrow();
  });

  it('takes the preferred extension', () => {
    expect(pathOf(kinds.clip, { indices: { clip: 12 } })).toBe('stage-ffmpeg-1/clip_0012/clip.mp4');
  });
});

it('names an item by the numbers of its object, or by its kind', () => {
  expect(itemId(kinds.clip, { clip: 7 })).toBe('clip_0007');
  expect(itemId(kinds.frame, { clip: 7, frame: 12 })).toBe('clip_0007-frame_0012');
  expect(itemId(kinds.audio, {})).toBe('audio');
});

it('derives the content type from the kind and the extension', () => {
  expect(contentTypeOf(kinds.clip, 'a/clip.mkv')).toBe('video/x-matroska');
  expect(contentTypeOf(kinds.segments, 'segments.json')).toBe('application/json');
  expect(contentTypeOf(kinds.input, 'input/a.mp4')).toBeUndefined();
});

it('matches no announced kind for metadata objects', () => {
  const paths = [metadataPaths.request, metadataPaths.state, metadataPaths.receipt('s', 'i'), metadataPaths.log('s', 't')];
  expect(paths.filter((path) => parseKey(`requests/a/${path}`, all))).toEqual([]);
});

describe('the source tree', () => {
  it('contains object keys only in keys.ts and kinds.ts', () => {
    const folders = ['shared', 'services', 'infra', 'loadgen', 'cli', 'analysis'];
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(folder, file)),
    );
    // Advice to users, below the layer of keys.
    const exempt = [join('shared', 'pipeline', 'keys.ts'), join('shared', 'core', 'error-codes.ts')];
    const spelled = files
      .filter((path) => !exempt.includes(path))
      .flatMap((path) => keysSpelledIn(readFileSync(path, 'utf8')).map((text) => `${path}: ${text}`));
    expect(files.length).toBeGreaterThan(100);
    expect(spelled).toEqual([]);
  });

  it('is searched for keys in literals, not in comments and imports', () => {
    expect(keysSpelledIn("get(`${prefix}metadata/state.json`); list('requests/');")).toEqual(['}metadata/', "'requests/"]);
    expect(keysSpelledIn("// below requests/\n/** `memo/` */\nimport { x } from '../requests/input/x.ts';")).toEqual([]);
  });
});

/** Returns the starts of object keys in a TypeScript source, outside comments and module paths. */
function keysSpelledIn(source: string): string[] {
  const code = source.replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$|(from|import\() ?'[^']*'/gm, '');
  return code.match(/['"`} ](requests|metadata|memo|input)\/(?!s\b)/g) ?? []; // not the unit "requests/s"
}
