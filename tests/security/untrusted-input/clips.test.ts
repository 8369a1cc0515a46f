import { beforeAll, describe, expect, it, vi } from 'vitest';
import { streams } from '../../../shared/bus/topology.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { digestFile } from '../../../shared/store/store.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';
import { requestMetadata, WAIT } from '../../support/harness/runtime.ts';
import { generateMedia } from '../../support/media.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

/** Timeout for an hour of audio on a slow machine (ms). */
const TEST_TIMEOUT_MS = 240_000;
vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await stack.startServices(['relay', 'tracker', 'stage-ffmpeg-0', 'stage-librosa'], { FAVE_MAX_CLIPS: '2500' });
});

/** Uploads a tone per second, which the method of the original FAVE cuts into a clip per second. */
async function submitTones(seconds: number): Promise<ReturnType<typeof requestMetadata>> {
  const tones = `aevalsrc='if(lt(mod(t,1),0.5),0.5*sin(2764*t),0)':s=8000:d=${seconds}`;
  const path = generateMedia(`tones-${seconds}.flac`, '-f', 'lavfi', '-i', tones);
  const request = requestMetadata(stack, uniqueId());
  const headers = encodeOptions({ segmentation: 'fave' });
  await stack.store.upload(`requests/${request.id}/input/tones.flac`, { path, ...(await digestFile(path)) }, { headers });
  return request;
}

describe('stage-librosa with thousands of clips', () => {
  it('publishes batches, in one event below the payload limit', async () => {
    const request = await submitTones(2_400);
    const [event] = await vi.waitUntil(
      async () => {
        const events = await request.progress('stage-librosa');
        return events.length > 0 && events;
      },
      { ...WAIT, timeout: TEST_TIMEOUT_MS },
    );
    expect(event).toMatchObject({ outcome: 'done', deliveries: 1 });
    expect(event!.outputs.map(({ item }) => item)).toEqual(
      Array.from({ length: Math.ceil(2_400 / 32) }, (_, n) => `batch_${String(n + 1).padStart(4, '0')}`),
    );
    expect(JSON.stringify(event).length).toBeLessThan(20_000);
  });

  it('fails the request above the limit at the first delivery, and leaves no message', async () => {
    const request = await submitTones(2_600);
    const end = await vi.waitUntil(async () => (await request.lifecycle('failed'))[0], { ...WAIT, timeout: TEST_TIMEOUT_MS });
    expect(end.errors).toMatchObject([
      { stage: 'stage-librosa', code: 'too-many-clips', message: expect.stringContaining('FAVE_MAX_CLIPS') as string },
    ]);
    expect(await request.deadLetters('stage-librosa')).toMatchObject([{ code: 'too-many-clips', deliveries: 1 }]);
    expect(await fetchStreamLag(stack.bus, streams.landed, /^stage-librosa-/)).toBe(0);
  });
});
