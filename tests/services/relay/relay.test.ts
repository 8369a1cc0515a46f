import { beforeAll, describe, expect, it, vi } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import type { LandedMessage, RequestState } from '../../../schemas/generated/types.ts';
import { encodeMetadata, encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { requestMetadata, setUpStack, start, readStoredMessages, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { fetchConsumerLag } from '../../../shared/bus/consumers.ts';

/** Subjects and keys of the notifications so far. */
const notifications: string[] = [];
let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await setUpStack(stack, graph);
  stack.bus.connection.subscribe('fave.raw.*', {
    callback: (_, message) =>
      void notifications.push(
        `${message.subject} ${(JSON.parse(message.string()) as { Key?: string }).Key?.replace(/^[^/]*\//, '')}`,
      ),
  });
  await stack.bus.connection.flush();
  await start(stack, graph, 'relay');
});

/** First bytes of an MP4 file. */
const video = '\0\0\0\x14ftypisom\0\0\0\0isom';

/** Puts an object and waits until the relay has acknowledged `times` notifications of it on each path. */
async function put(key: string, text = video, headers: Record<string, string> = {}, times = 1): Promise<void> {
  await stack.store.put(key, text, { headers });
  await vi.waitUntil(
    () => ['fast', 'durable'].every((path) => notifications.filter((line) => line === `fave.raw.${path} ${key}`).length >= times),
    WAIT,
  );
  await vi.waitUntil(async () => (await fetchConsumerLag(stack.bus, streams.raw, 'relay')) === 0, WAIT);
}

const newRequest = () => {
  const request = requestMetadata(stack, uniqueId());
  const prefix = `requests/${request.id}/`;
  return {
    ...request,
    prefix,
    /** No worker runs in this test, so the stream keeps the landed messages. */
    landed: (kind: string) => readStoredMessages<LandedMessage>(stack, streams.landed, `fave.landed.${kind}.*.${request.id}`),
    admitted: async () =>
      JSON.parse((await stack.store.getText(`${prefix}metadata/request.json`))!.text) as {
        input: object;
        options: object;
        traceparent: string;
      },
    rejected: () => request.lifecycle('rejected'),
    ignored: () => request.lifecycle('ignored'),
  };
};

describe.concurrent('an input', () => {
  it('is admitted and announced once when both notifications arrive', async () => {
    const request = newRequest();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await put(`${request.prefix}input/a.mp4`, video, encodeOptions({ interval: '2.5', traceparent }));
    const options = { interval: 2.5 };
    const landed = await request.landed('input');
    expect(landed).toMatchObject([
      {
        kind: 'input',
        lane: 'first',
        request_id: request.id,
        key: `${request.prefix}input/a.mp4`,
        size: video.length,
        run: 1,
        options,
        traceparent,
      },
    ]);
    expect(await request.admitted()).toMatchObject({
      input: { file: 'a.mp4', etag: landed[0]!.etag, size: video.length, version_id: landed[0]!.version_id },
      options,
      traceparent,
    });
    expect(landed[0]!.version_id).toMatch(/./);
    expect(await request.rejected()).toEqual([]);
  });

  it('changes nothing when the same file is uploaded again', async () => {
    const request = newRequest();
    await put(`${request.prefix}input/a.mp4`);
    const admitted = await request.admitted();
    await put(`${request.prefix}input/a.mp4`, video, {}, 2);
    expect(await request.admitted()).toEqual(admitted);
    expect([await request.landed('input'), await request.rejected()]).toMatchObject([
      [{ traceparent: admitted.traceparent }],
      [],
    ]);
  });

  it.each<[string, string, string, Record<string, string>, RegExp]>([
    [
      'bytes',
      'a.mp4',
      `${video} other`,
      {},
      /already has the input a.mp4, and the upload has different content; upload under a new request id/,
    ],
    ['options', 'a.mp4', video, { interval: '3' }, /the upload has different options/],
    ['name', 'b.mp4', video, {}, /the upload has another name, b.mp4/],
  ])('is kept, and a replacement with other %s is rejected', async (_, file, text, options, message) => {
    const request = newRequest();
    await put(`${request.prefix}input/a.mp4`);
    const admitted = await request.admitted();
    await put(`${request.prefix}input/${file}`, text, encodeOptions(options), file === 'a.mp4' ? 2 : 1);
    expect(await request.rejected()).toMatchObject([
      {
        status: 'rejected',
        errors: [
          { code: 'input-replaced', message: expect.stringMatching(message) as string, file: `${request.prefix}input/${file}` },
        ],
      },
    ]);
    expect(await request.admitted()).toEqual(admitted);
    expect(await request.landed('input')).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['does not exist', { intervall: '2' }, 'unknown-option', /"intervall"/],
    ['is out of range', { interval: '-1' }, 'invalid-option', /interval must be/],
    ['is not UTF-8', {}, 'unknown-option', /"x"/],
  ])('is rejected if an option %s, and the message names the option', async (_, options, code, message) => {
    const request = newRequest();
    const headers = Object.keys(options).length > 0 ? encodeOptions(options) : { 'x-amz-meta-fave-x': '=?utf-8?q?=ff?=' };
    await put(`${request.prefix}input/a.mp4`, video, headers);
    expect(await request.rejected()).toMatchObject([{ errors: [{ code, message: expect.stringMatching(message) as string }] }]);
    expect(await stack.store.head(`${request.prefix}metadata/request.json`)).toBeUndefined();
    expect(await request.landed('input')).toEqual([]);
  });

  it.each(["it's 100 % + čaj & = ☕.mp4", '-i.mp4', 'no extension'])('may have the file name %j', async (name) => {
    const request = newRequest();
    const key = `${request.prefix}input/${name}`;
    await stack.store.put(key, video);
    await vi.waitUntil(async () => (await request.landed('input')).length > 0, WAIT);
    expect(await request.landed('input')).toMatchObject([{ key }]);
  });
});

describe.concurrent('an object that is no input', () => {
  it.each([
    ['.DS_Store', '\0\0\0\x01Bud1', 'ignored-file'],
    ['a.srt', '1\n00:00:01,000 --> 00:00:02,000\nHello\n', 'ignored-file'],
    ['a.mp4', '', 'empty-file'],
    ['a.nfo', 'text', 'not-media'],
  ])('is ignored once and leaves its request to a later upload: %s', async (file, text, code) => {
    const request = newRequest();
    const key = `${request.prefix}input/${file}`;
    await put(key, text);
    expect(await request.ignored()).toMatchObject([
      {
        request_id: request.id,
        status: 'ignored',
        input: key,
        errors: [{ code, file: key }],
        refused: [{ key: `input/${file}` }],
      },
    ]);
    await put(`${request.prefix}input/a.mp4`, video, {}, file === 'a.mp4' ? 2 : 1);
    expect(await request.admitted()).toMatchObject({ input: { file: 'a.mp4', size: video.length } });
    await put(key === `${request.prefix}input/a.mp4` ? `${request.prefix}input/.b` : key, text, {}, file === 'a.mp4' ? 1 : 2);
    expect([await request.landed('input'), await request.rejected()]).toMatchObject([[{ size: video.length }], []]);
    expect((await request.ignored()).filter(({ input }) => input === key)).toHaveLength(1);
  });

  it('is rejected under the name of a video, and leaves its request to a later upload', async () => {
    const request = newRequest();
    await put(`${request.prefix}input/a.mp4`, 'text');
    expect(await request.rejected()).toMatchObject([{ status: 'rejected', errors: [{ code: 'not-media' }] }]);
    await put(`${request.prefix}input/a.mp4`, video, {}, 2);
    expect(await request.admitted()).toMatchObject({ input: { size: video.length } });
  });

  it('is ignored as the marker of a folder', async () => {
    const request = newRequest();
    await put(`${request.prefix}input/`, '');
    expect([await request.ignored(), await request.rejected()]).toMatchObject([[{ errors: [{ code: 'ignored-file' }] }], []]);
  });

  it.each(['removed', 'replaced'])('was %s before its notification was read', async (change) => {
    const request = newRequest();
    const key = `${request.prefix}input/a.mp4`;
    if (change === 'replaced') await put(key);
    const object = { key: encodeURIComponent(key), eTag: 'of-older-content', size: 100 };
    const notification = {
      Records: [{ eventName: 's3:ObjectCreated:Put', s3: { bucket: { name: stack.store.bucket }, object } }],
    };
    await stack.bus.publish('fave.raw.fast', notification, {});
    await vi.waitUntil(async () => (await fetchConsumerLag(stack.bus, streams.raw, 'relay')) === 0, WAIT);
    expect([await request.rejected(), await request.ignored()]).toEqual([[], []]);
    expect(await request.landed('input')).toHaveLength(change === 'replaced' ? 1 : 0);
  });

  it('is admitted without options if it is a copy of an artifact of another request', async () => {
    const request = newRequest();
    const metadata = {
      run: 3,
      options: { interval: 2 },
      attributes: { start: 1 },
      sha256: 'a'.repeat(64),
      receipt: 'metadata/items/s/i.json',
    };
    await put(`${request.prefix}input/clip.mp4`, video, encodeMetadata(metadata));
    expect(await request.landed('input')).toMatchObject([{ run: 1, options: {}, attributes: {} }]);
  });
});

describe.concurrent('an artifact', () => {
  const metadata = {
    run: 3,
    options: { interval: 2, query: 'čaj' },
    attributes: { start: 1.5, end: 3 },
    sha256: 'a'.repeat(64),
    receipt: 'metadata/items/s/i.json',
  };

  it('is announced with the options and attributes in its metadata', async () => {
    const request = newRequest();
    await put(`${request.prefix}stage-ffmpeg-1/clip_0009/clip.mkv`, 'x', encodeMetadata(metadata));
    const { receipt: _, ...carried } = metadata;
    expect(await request.landed('clip')).toMatchObject([{ lane: 'second', ...carried }]);
  });

  it('inherits the options of its request if a user uploads it without metadata', async () => {
    const request = newRequest();
    await put(`${request.prefix}input/a.mp4`, video, encodeOptions({ interval: '2' }));
    await put(`${request.prefix}stage-librosa/batch_0001/batch.json`, '{}');
    const { traceparent } = await request.admitted();
    expect(await request.landed('batch')).toMatchObject([{ run: 1, options: { interval: 2 }, attributes: {}, traceparent }]);
  });

  it('is rejected without a request', async () => {
    const request = newRequest();
    await put(`${request.prefix}stage-librosa/batch_0001/batch.json`, '{}');
    expect(await request.rejected()).toMatchObject([{ errors: [{ code: 'missing-artifact' }] }]);
  });
});

describe.concurrent('a rejection of an invalid key', () => {
  it('is published under its request', async () => {
    const request = newRequest();
    await put(`${request.prefix}video.mp4`);
    expect(await request.rejected()).toMatchObject([
      {
        request_id: request.id,
        input: `${request.prefix}video.mp4`,
        errors: [{ code: 'invalid-key', file: `${request.prefix}video.mp4` }],
      },
    ]);
  });

  it.each([[''], ['_/input/']])('is published under _ if the key has no request id: requests/%s', async (path) => {
    const key = `requests/${path}${uniqueId('video')}.mp4`;
    await put(key);
    const rejected = (await requestMetadata(stack, '_').lifecycle('rejected')).filter(({ input }: RequestState) => input === key);
    expect(rejected).toMatchObject([
      {
        request_id: '_',
        status: 'rejected',
        errors: [{ code: 'invalid-key', message: expect.stringContaining('1 to 64 letters') as string }],
      },
    ]);
  });
});

it('terminates an invalid notification and processes the next one', async () => {
  await stack.bus.publish('fave.raw.fast', { Records: 'none' }, {});
  const request = newRequest();
  await put(`${request.prefix}input/a.mp4`);
  expect(await request.landed('input')).toHaveLength(1);
});
