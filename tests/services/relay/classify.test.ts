import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { classify, createdObjects } from '../../../services/relay/classify.ts';
import { pathOf } from '../../../shared/pipeline/keys.ts';

describe('by its key an object', () => {
  it.each(graph.kinds.map((kind) => [kind.name, kind] as const))('%s is what it is', (_, kind) => {
    const path = pathOf(kind, { indices: { clip: 12, frame: 3 }, file: 'a.mp4' });
    const classified = classify(`requests/r-1/${path}`, graph);
    if (kind.announced) expect(classified).toMatchObject({ what: 'landed', object: { kind, requestId: 'r-1', path } });
    else expect(classified).toEqual({ what: 'ignored' });
  });

  it.each([
    'memo/a/b.json',
    'tmp/scratch/video.mp4',
    'video.mp4',
    'requests',
    'requests/r/metadata/state.json',
    'requests/r/metadata/video.mp4',
    'requests/r/metadata/items/s/i.json',
  ])('%s is none of anybody’s business', (key) => {
    expect(classify(key, graph)).toEqual({ what: 'ignored' });
  });

  it.each([
    'video.mp4',
    'inputs/video.mp4',
    'input/a/video.mp4',
    'stage-ffmpeg-1/clip_1/clip.mp4',
    'stage-ffmpeg-1/video.mp4',
    'Input/video.mp4',
  ])('requests/r/%s is misplaced, and its request hears of it', (path) => {
    expect(classify(`requests/r/${path}`, graph)).toEqual({
      what: 'rejected',
      requestId: 'r',
      reason: `${path} is outside the input folder: upload one video under requests/r/input/`,
    });
  });

  it.each([
    'requests/video.mp4',
    'requests//input/video.mp4',
    'requests/a b/input/video.mp4',
    `requests/${'r'.repeat(65)}/input/video.mp4`,
    'requests/r.1/input/v.mp4',
    'requests/_/input/v.mp4',
  ])('%s names no request that could hear of it', (key) => {
    expect(classify(key, graph)).toMatchObject({
      what: 'rejected',
      requestId: undefined,
      reason: expect.stringContaining('1 to 64 letters') as string,
    });
  });
});

describe('a notification', () => {
  const record = (key: string, more: object = {}) => ({
    eventName: 's3:ObjectCreated:Put',
    s3: { bucket: { name: 'b' }, object: { key, eTag: 'e', size: 5 } },
    ...more,
  });
  const objects = (...records: ReturnType<typeof record>[]) =>
    createdObjects({ Records: records as [ReturnType<typeof record>] }, 'b');
  const formEncoded = (key: string): string => new URLSearchParams([['', key]]).toString().slice(1);

  it('has its keys form-encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        expect(objects(record(formEncoded(key)))).toMatchObject([{ key }]);
      }),
    );
    expect(objects(record('requests/r/input/a+b%2Bc%20%C3%A9.mp4'))).toMatchObject([{ key: 'requests/r/input/a b+c é.mp4' }]);
  });

  it('that is badly encoded is taken as it stands', () => {
    expect(objects(record('a+%zz'), record('%ff'))).toMatchObject([{ key: 'a+%zz' }, { key: '%ff' }]);
  });

  it.each(['Put', 'Post', 'Copy', 'CompleteMultipartUpload'])(
    'of %s says that an object was created, on MinIO and on AWS',
    (event) => {
      expect(
        objects(record('k', { eventName: `s3:ObjectCreated:${event}` }), record('k', { eventName: `ObjectCreated:${event}` })),
      ).toHaveLength(2);
    },
  );

  it.each([
    's3:ObjectCreated:PutTagging',
    's3:ObjectCreated:PutRetention',
    's3:ObjectRemoved:Delete',
    's3:ObjectAccessed:Get',
    'ObjectCreated:Puts',
  ])('of %s does not', (eventName) => {
    expect(objects(record('k', { eventName }))).toEqual([]);
  });

  it('of another bucket is not ours', () => {
    expect(createdObjects({ Records: [record('k')] }, 'other')).toEqual([]);
  });

  it('without etag and size, as of an empty object, is read all the same', () => {
    expect(objects(record('k', { s3: { bucket: { name: 'b' }, object: { key: 'k' } } }))).toMatchObject([
      { key: 'k', etag: '', size: 0, headers: undefined },
    ]);
  });
});
