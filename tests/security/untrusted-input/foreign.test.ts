import { beforeAll, describe, expect, it } from 'vitest';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { createStore } from '../../../shared/store/store.ts';
import { requestMetadata, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await stack.startServices(['relay', 'stage-ffmpeg-3']);
});

const clipOf = (id: string): string => `requests/${id}/stage-ffmpeg-1/clip_0001/clip.mp4`;
/** Creates a request that appears to have passed stage-ffmpeg-0. */
async function admitted(): Promise<ReturnType<typeof requestMetadata>> {
  const request = requestMetadata(stack, uniqueId());
  await request.put('RIFF\0\0\0\0WAVEfmt ');
  // A clip that arrives before its request is rejected.
  await expect.poll(() => stack.store.head(`requests/${request.id}/metadata/request.json`), WAIT).toBeDefined();
  const video = { codec: 'h264', width: 64, height: 64, rotation: 0, fps: 25, pixel_format: 'yuv420p' };
  const audio = { codec: 'aac', sample_rate: 48_000, channels: 2 };
  const media = { format: 'mov', duration: 1, size: 1, video, audio };
  await stack.store.put(`requests/${request.id}/stage-ffmpeg-0/media.json`, JSON.stringify(media));
  return request;
}

const playlist = '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n';

describe('an object under the key of a stage', () => {
  it('is rejected by the store for the submitter', async () => {
    const secrets = await readSecrets(stack.dataDir);
    const secretKey = secrets?.store['submitter'] ?? '';
    const store = createStore({ ...stack.config.store, accessKey: 'submitter', secretKey });
    await expect(store.put(clipOf(uniqueId()), playlist)).rejects.toMatchObject({ code: 'access-denied' });
    store.close();
  });

  it('reaches the stage if an administrator writes it, and is treated as untrusted', async () => {
    const request = await admitted();
    await stack.store.put(clipOf(request.id), playlist);
    await expect
      .poll(() => request.deadLetters('stage-ffmpeg-3'), WAIT)
      .toMatchObject([{ code: 'invalid-clip', item: 'clip_0001' }]);
  });

  it('is treated as untrusted even with the metadata of a clip', async () => {
    const request = await admitted();
    const headers = {
      'x-amz-meta-fave-run': '1',
      'x-amz-meta-fave-options': '{}',
      'x-amz-meta-fave-attributes': JSON.stringify({ start: 0, end: 1, preroll: 0 }),
    };
    await stack.store.put(clipOf(request.id), playlist, { headers });
    await expect.poll(() => request.deadLetters('stage-ffmpeg-3'), WAIT).toMatchObject([{ code: 'not-media' }]);
  });

  it('is rejected without a request', async () => {
    const request = requestMetadata(stack, uniqueId());
    await stack.store.put(clipOf(request.id), playlist);
    await expect
      .poll(() => request.lifecycle('rejected'), WAIT)
      .toMatchObject([{ errors: [{ code: 'missing-artifact', file: clipOf(request.id) }] }]);
  });
});
