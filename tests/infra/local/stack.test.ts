import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { checkNotifications } from '../../../infra/setup/notification-check.ts';
import { setUp } from '../../../infra/setup/setup.ts';
import { cachedPath } from '../../../infra/servers/install.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { defineGraph } from '../../../shared/pipeline/graph.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

describe('set-up', () => {
  it('changes nothing the second time', async () => {
    expect(await setUp({ ...stack, graph, ackWaitSeconds: stack.config.ackWaitSeconds })).toEqual([]);
  });

  it('deletes the consumers of removed stages and recreates them', async () => {
    const without = defineGraph([kinds.input, kinds.canary], graph.stages.slice(0, 1));
    const changes = await setUp({ ...stack, graph: without, ackWaitSeconds: stack.config.ackWaitSeconds });
    expect(changes).toContain(`deleted consumer stage-librosa-first of ${streams.landed}`);
    const again = await setUp({ ...stack, graph, ackWaitSeconds: stack.config.ackWaitSeconds });
    expect(again).toContain(`made consumer stage-librosa-first of ${streams.landed}`);
  });

  it('keeps versions of inputs only', async () => {
    const { store, storeAdmin } = stack;
    const versions = async (path: string): Promise<number> => {
      const key = `requests/${uniqueId()}/${path}`;
      for (const text of ['a', 'b']) await store.put(key, text);
      let count = 0;
      for await (const _ of storeAdmin.client.listObjects(store.bucket, key, true, { IncludeVersion: true })) count += 1;
      return count;
    };
    expect(await versions('input/video.mp4')).toBe(2);
    expect(await versions('stage-ffmpeg-0/audio.wav')).toBe(1);
    expect(await versions('metadata/state.json')).toBe(1);
  });
});

describe('checkNotifications', () => {
  it('reports a canary on both raw subjects', async () => {
    const received = await checkNotifications({ ...stack, timeoutMs: 20_000, relay: false });
    expect(Object.keys(received).sort()).toEqual(['durable', 'fast']);
  });

  it('reports a missing relay', async () => {
    const proof = checkNotifications({ ...stack, timeoutMs: 1_000, relay: true });
    await expect(proof).rejects.toMatchObject({
      code: 'notifications-lost',
      message: expect.stringMatching(/did not arrive within 1 s from .*the relay/) as string,
    });
  });

  it('publishes one notification per subject for an object that several rules match, and none for a receipt', async () => {
    const id = uniqueId();
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => {
      stack.bus.connection.subscribe('fave.raw.*', {
        callback: (_, message) => {
          const { Key: key } = JSON.parse(message.string()) as { Key: string };
          if (!key.includes(id)) return;
          seen.push(`${message.subject} ${key.slice(key.indexOf(id) + id.length)}`);
          // The queue is processed in order: all earlier notifications have arrived with the second one of `last.mp4`.
          if (seen.filter((line) => line.endsWith('last.mp4')).length === 2) resolve();
        },
      });
    });
    await stack.bus.connection.flush();
    for (const path of [
      'input/a.mp4',
      'metadata/items/stage-x/a.json',
      'stage-ffmpeg-1/clip_0001/clip.mp4',
      'stage-ffmpeg-3/clip_0001/frame_0001.jpg',
    ]) {
      await stack.store.put(`requests/${id}/${path}`, path);
    }
    await stack.store.put(`requests/${id}/input/last.mp4`, 'last');
    await done;
    const paths = ['/input/a.mp4', '/input/last.mp4', '/stage-ffmpeg-1/clip_0001/clip.mp4'];
    expect(seen.sort()).toEqual(
      ['fave.raw.durable', 'fave.raw.fast'].flatMap((subject) => paths.map((path) => `${subject} ${path}`)),
    );
  });

  it('is listed by mc', async () => {
    const { endpoint, accessKey, secretKey, bucket } = stack.config.store;
    const env = {
      HOME: stack.dataDir,
      MC_CONFIG_DIR: stack.dataDir,
      MC_HOST_fave: endpoint.replace('://', `://${accessKey}:${secretKey}@`),
    };
    const { stdout } = await promisify(execFile)(cachedPath(serverPrograms.mc), ['event', 'ls', `fave/${bucket}`], { env });
    expect(stdout).toContain('suffix="/clip.mkv"');
  });
});

it('permits a viewer to read a stream, not to publish', async () => {
  const secrets = await readSecrets(stack.dataDir);
  const bus = await connectBus({ ...stack.config.bus, user: 'viewer', password: secrets?.bus['viewer'] ?? '' }, 'viewer');
  const refused = (async () => {
    for await (const status of bus.connection.status()) if (status.type === 'error') return String(status.error);
    return '';
  })();
  expect((await bus.manager.streams.info(streams.requests)).config.name).toBe(streams.requests);
  bus.connection.publish('fave.landed.input.first.x', '{}');
  expect(await refused).toContain('Permissions Violation');
  await bus.close();
});
