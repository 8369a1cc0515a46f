import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { CloudEvent } from '../../../schemas/generated/types.ts';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { encodeOptions } from '../../../shared/pipeline/metadata.ts';
import { digestFile } from '../../../shared/store/store.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { chirp, generateMedia } from '../../support/media.ts';
import { WAIT } from '../../support/wait.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await stack.startServices(['relay', 'tracker', 'stage-ffmpeg-0']);
});

/** Puts a second of sound where a user would; the memory of equal work would hide what a name does. */
async function put(key: string): Promise<void> {
  const path = generateMedia('second.wav', ...chirp(1, 8_000));
  await stack.store.upload(key, { path, ...(await digestFile(path)) }, { headers: encodeOptions({ memo: 'false' }) });
}

/** Every event of a request, or of those whose key names none, as its subject's end and its data. */
async function eventsOf(id: string): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const found = [];
  for (let seq = 1; ;) {
    const ask = JSON.stringify({ seq, next_by_subj: `fave.requests.${id}.>` });
    const reply = await stack.bus.connection.request(`$JS.API.STREAM.MSG.GET.${streams.requests}`, ask);
    const { message } = reply.json<{ message?: { seq: number; subject: string; data: string } }>();
    if (!message) return found;
    const { data } = JSON.parse(Buffer.from(message.data, 'base64').toString()) as CloudEvent;
    found.push({ event: message.subject.split('.').slice(3).join('.'), data: data as Record<string, unknown> });
    seq = message.seq + 1;
  }
}

/** Names that a user's file may have. */
const NAMES = [
  '..mp4',
  '...',
  '%2e%2e',
  '%2e%2e%2fsecret',
  'a+b c%20d.wav',
  `it's "quoted".wav`,
  '$(touch pwned) `touch pwned`;&|.wav',
  'new\nline.wav',
  '-i.wav',
  '--help',
  'right-to-left \u202egpj.wav',
  'nul\u2400 emoji \u{1f3ac} \u0301.wav',
  'concat:a|b.wav',
  'http:example.wav',
  'frame_%04d.wav',
  `${'n'.repeat(240)}.wav`,
  '*?[a]{b}.wav',
  'C:\\temp\\video.wav',
];

describe('a file name is only a name', () => {
  it.each(NAMES)('%j', async (name) => {
    const id = uniqueId();
    await put(`requests/${id}/input/${name}`);
    const settled = await vi.waitUntil(
      async () => (await eventsOf(id)).find(({ event }) => event === 'stage.stage-ffmpeg-0'),
      WAIT,
    );
    expect(settled.data).toMatchObject({ outcome: 'done' });
    const request = JSON.parse((await stack.store.getText(`requests/${id}/metadata/request.json`))!.text) as {
      input: { file: string };
    };
    expect(request.input.file).toBe(name);
  });

  // Through the client itself: the store's own patience would take some of these answers for an outage.
  it.each([
    ['of 1 000 characters', 'n'.repeat(1_000)],
    ['of 300 characters', 'n'.repeat(300)],
    ['that is ..', '..'],
    ['that leads out of the request', '../../other/input/a.wav'],
    ['that is .', '.'],
  ])('%s is refused by the store', async (_, name) => {
    const id = uniqueId();
    const refused = stack.storeAdmin.client.putObject(stack.storeAdmin.bucket, `requests/${id}/input/${name}`, 'x');
    const error: unknown = await refused.then(
      () => expect.fail('it was not refused'),
      (reason: unknown) => reason,
    );
    const { code = '', name: kind } = error as { code?: string; name: string };
    expect(code || kind).toMatch(/Invalid(Object|Resource)Name|KeyTooLong/);
    expect(await eventsOf(id)).toEqual([]);
  });

  it.each(['sub/folder.wav', 'a/b/c.wav', '\u202e/x.wav'])('%j is no name, and the request hears of it', async (path) => {
    const id = uniqueId();
    await put(`requests/${id}/input/${path}`);
    const rejected = await vi.waitUntil(async () => (await eventsOf(id)).find(({ event }) => event === 'rejected'), WAIT);
    expect(rejected.data).toMatchObject({ request_id: id, errors: [{ code: 'invalid-key' }] });
  });

  it.each(['a.b', 'a b', '*', '>', '$JS', 'a%2fb', '\u202e', 'x'.repeat(65)])(
    '%j is no id, and is rejected without one',
    async (id) => {
      const key = `requests/${id}/input/${uniqueId()}.wav`;
      await put(key);
      const rejections = async () => (await eventsOf('_')).filter(({ data }) => data['input'] === key);
      await vi.waitUntil(async () => (await rejections()).length > 0, WAIT);
      expect(await rejections()).toMatchObject([{ event: 'rejected', data: { errors: [{ code: 'invalid-key' }] } }]);
    },
  );
});

describe('what a real run leaves behind', () => {
  it('names no secret of the instance, in no log, no object and no event', async () => {
    const secrets = await readSecrets(stack.dataDir);
    const hidden = Object.entries({ ...secrets?.bus, ...secrets?.store });
    expect(hidden.length).toBeGreaterThan(10);
    const leaks = (place: string, text: string): string[] =>
      hidden.flatMap(([role, secret]) => (text.includes(secret) ? [`${place}: ${role}`] : []));

    const logs = join(stack.dataDir, 'logs');
    const names = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.log'));
    expect(names).toEqual(expect.arrayContaining(['relay.log', 'stage-ffmpeg-0.log']));
    const found = names.flatMap((name) => leaks(name, readFileSync(join(logs, name), 'latin1')));

    let objects = 0;
    for await (const { key } of stack.store.list('')) {
      objects += 1;
      found.push(
        ...leaks(key, (await stack.store.getText(key))?.text ?? ''),
        ...leaks(key, JSON.stringify((await stack.store.head(key))?.headers)),
      );
    }
    expect(objects).toBeGreaterThan(NAMES.length);

    let events = 0;
    for (const stream of Object.values(streams)) {
      const { state } = await stack.bus.manager.streams.info(stream);
      for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
        const message = await stack.bus.manager.streams.getMessage(stream, { seq });
        if (message) found.push(...leaks(`${stream} ${message.subject}`, message.string()));
        events += 1;
      }
    }
    expect(events).toBeGreaterThan(NAMES.length);
    expect(found).toEqual([]);
  });
});
