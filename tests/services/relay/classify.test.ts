import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { classify, createdObjects } from '../../../services/relay/classify.ts';
import { pathOf } from '../../../shared/pipeline/keys.ts';

describe('classify', () => {
  it.each(graph.kinds.map((kind) => [kind.name, kind] as const))('recognises a key of kind %s', (_, kind) => {
    const path = pathOf(kind, { indices: { batch: 2, clip: 12, frame: 3 }, file: 'a.mp4' });
    const classified = classify({ key: `requests/r-1/${path}`, size: 1 }, graph);
    if (kind.announced) expect(classified).toMatchObject({ type: 'landed', object: { kind, requestId: 'r-1', path } });
    else expect(classified).toEqual({ type: 'ignored' });
  });

  it.each([
    'memo/a/b.json',
    'tmp/scratch/video.mp4',
    'video.mp4',
    'requests',
    'requests/',
    'requests/.DS_Store',
    'requests/not a request id/',
    'requests/r/metadata/state.json',
    'requests/r/metadata/video.mp4',
    'requests/r/metadata/items/s/i.json',
  ])('ignores %s', (key) => {
    expect(classify({ key, size: 1 }, graph)).toEqual({ type: 'ignored' });
  });

  it.each([
    'video.mp4',
    'inputs/video.mp4',
    'input/a/video.mp4',
    'stage-ffmpeg-1/clip_1/clip.mp4',
    'stage-ffmpeg-1/video.mp4',
    'Input/video.mp4',
  ])('rejects requests/r/%s and reports it to the request', (path) => {
    expect(classify({ key: `requests/r/${path}`, size: 1 }, graph)).toEqual({
      type: 'refused',
      requestId: 'r',
      refusal: {
        result: 'rejected',
        code: 'invalid-key',
        message: `${path} is outside the input folder: upload one video under requests/r/input/`,
      },
    });
  });

  it.each([
    ['', 0],
    ['input/', 0],
    ['input_$folder$', 0],
    ['input/video.mp4', 0],
    ['input/.DS_Store', 6_148],
    ['.DS_Store', 6_148],
  ])('ignores requests/r/%s of %i bytes and reports it to the request', (path, size) => {
    expect(classify({ key: `requests/r/${path}`, size }, graph)).toMatchObject({
      type: 'refused',
      requestId: 'r',
      refusal: { result: 'ignored' },
    });
  });

  it.each([
    'requests/video.mp4',
    'requests//input/video.mp4',
    'requests/a b/input/video.mp4',
    `requests/${'r'.repeat(65)}/input/video.mp4`,
    'requests/r.1/input/v.mp4',
    'requests/_/input/v.mp4',
  ])('rejects %s without a request', (key) => {
    expect(classify({ key, size: 1 }, graph)).toMatchObject({
      type: 'refused',
      requestId: undefined,
      refusal: { result: 'rejected', message: expect.stringContaining('1 to 64 letters') as string },
    });
  });
});

describe('createdObjects', () => {
  const record = (key: string, overrides: object = {}) => ({
    eventName: 's3:ObjectCreated:Put',
    s3: { bucket: { name: 'b' }, object: { key, eTag: 'e', size: 5 } },
    ...overrides,
  });
  const objects = (...records: ReturnType<typeof record>[]) =>
    createdObjects({ Records: records as [ReturnType<typeof record>] }, 'b');
  const formEncoded = (key: string): string => new URLSearchParams([['', key]]).toString().slice(1);

  it('decodes form-encoded keys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        expect(objects(record(formEncoded(key)))).toMatchObject([{ key }]);
      }),
    );
    expect(objects(record('requests/r/input/a+b%2Bc%20%C3%A9.mp4'))).toMatchObject([{ key: 'requests/r/input/a b+c é.mp4' }]);
  });

  it('returns a key with an invalid encoding unchanged', () => {
    expect(objects(record('a+%zz'), record('%ff'))).toMatchObject([{ key: 'a+%zz' }, { key: '%ff' }]);
  });

  it.each(['Put', 'Post', 'Copy', 'CompleteMultipartUpload'])('reads an event %s of MinIO and of AWS', (event) => {
    expect(
      objects(record('k', { eventName: `s3:ObjectCreated:${event}` }), record('k', { eventName: `ObjectCreated:${event}` })),
    ).toHaveLength(2);
  });

  it.each([
    's3:ObjectCreated:PutTagging',
    's3:ObjectCreated:PutRetention',
    's3:ObjectRemoved:Delete',
    's3:ObjectAccessed:Get',
    'ObjectCreated:Puts',
  ])('ignores an event %s', (eventName) => {
    expect(objects(record('k', { eventName }))).toEqual([]);
  });

  it('ignores objects of another bucket', () => {
    expect(createdObjects({ Records: [record('k')] }, 'other')).toEqual([]);
  });

  it('reads an object without etag and size', () => {
    expect(objects(record('k', { s3: { bucket: { name: 'b' }, object: { key: 'k' } } }))).toMatchObject([
      { key: 'k', etag: '', size: 0, headers: undefined },
    ]);
  });
});
