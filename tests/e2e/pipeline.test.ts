import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { serviceNames } from '../../infra/deployment/services.ts';
import type { Detections, Frames, RequestState, Segments, Transcript } from '../../schemas/generated/types.ts';
import { graph } from '../../services/pipeline.ts';
import { announce } from '../../shared/bus/landed-message.ts';
import { encodeOptions } from '../../shared/pipeline/metadata.ts';
import { digestFile } from '../../shared/store/store.ts';
import { validate } from '../../shared/core/validate.ts';
import { mergeTimeline } from '../../shared/results/timeline.ts';
import { findMedia, generateMedia, NO_MEDIA } from '../support/media.ts';
import { requestMetadata, setUpStack, readStoredMessages, WAIT } from '../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type RunningService, type Stack } from '../support/stack.ts';
import { inputs, type Input } from './inputs.ts';
import { observe, readRequestTree, type Observed, type Tree } from './observed.ts';
import { createTempDir } from '../support/temp-dir.ts';

/** Timeout for all requests, in seconds, on two slow cores. */
const DEADLINE = 240;

/** All inputs are uploaded together, so the tests take little longer than the longest request. */
let stack: Stack;
let observed: Observed;
let dir: string;
let services: RunningService[];
const ids = new Map<string, string>();
const all = inputs();

/** Without the memory of equal work, so that a second request does all work itself. */
const ALONE = { memo: 'false' };
const TALK = 'walk-and-talk.mp4';
const talk = findMedia(TALK);
/** Processed twice: once left alone, once with every message sent again and every service killed. */
const twice = talk === undefined ? all[0]!.path! : generateMedia('talk.mp4', '-t', '20', '-i', talk, '-c', 'copy');

async function put(
  requestId: string,
  path: string,
  options: Readonly<Record<string, string>> = {},
  file = basename(path),
): Promise<void> {
  await stack.store.upload(
    `requests/${requestId}/input/${file}`,
    { path, ...(await digestFile(path)) },
    { headers: encodeOptions(options) },
  );
}

beforeAll(async () => {
  dir = createTempDir();
  stack = await createOwnStack();
  await setUpStack(stack, graph, 3);
  observed = await observe(stack);
  services = await stack.startServices(serviceNames(graph), { FAVE_ACK_WAIT_SECONDS: '3' });

  for (const { name, path, options } of all) {
    if (path === undefined) continue;
    ids.set(name, uniqueId('e2e'));
    await put(ids.get(name)!, path, options);
  }
  for (const name of ['calm', 'disturbed']) ids.set(name, uniqueId(name));
  disturb(ids.get('disturbed')!);
  await Promise.all(['calm', 'disturbed'].map((name) => put(ids.get(name)!, twice, ALONE)));
});

/** Kills each service once in the middle of a request, and sends every message of it again. */
const killed = new Set<string>();
const repeated = new Set<string>();
function disturb(requestId: string): void {
  const kill = (name: string): void => {
    const service = services.find((one) => one.name === name);
    if (!service || killed.has(name)) return;
    killed.add(name);
    process.kill(service.pid, 'SIGKILL');
  };
  observed.settled = ({ request_id, stage }) => {
    if (request_id !== requestId) return;
    kill(stage);
    // Relay and tracker publish no event in the middle of a run for which the test could wait.
    if (stage === 'stage-ffmpeg-1') kill('relay');
    if (stage === 'stage-ffmpeg-2') kill('tracker');
    // One event each: a resent event is observed again.
    for (const message of observed.landed.filter((one) => one.request_id === requestId && !repeated.has(one.key))) {
      repeated.add(message.key);
      announce(stack.bus, stack.store.bucket, message, { nonce: 'again' }).catch((error: unknown) =>
        observed.wrong.push(String(error)),
      );
    }
  };
}

const idOf = (name: string, { skip }: TestContext): string => ids.get(name) ?? skip(NO_MEDIA);
const textOf = (tree: Tree): string =>
  tree
    .json<Transcript>('transcript')
    .map(({ text }) => text)
    .join(' ')
    .toLowerCase();

/** Checks the properties of every request, independent of its status. */
async function checkEnd(id: string): Promise<{ end: RequestState; tree: Tree }> {
  const end = await observed.end(id, DEADLINE);
  const tree = await readRequestTree(stack, id, dir);
  const state = validate('requestState', JSON.parse((await stack.store.getText(`requests/${id}/metadata/state.json`))!.text));
  expect(state).toEqual(end);
  expect(await requestMetadata(stack, id).ends()).toBe(1);
  expect(tree.metadata).toContain('metadata/request.json');
  return { end, tree };
}

/** Checks that the request contains exactly the documented objects for its number of clips. */
function checkTree({ artifacts, json, metadata }: Tree, file: string, { video = true }: Input['expect']): void {
  const { clips } = json<Segments>('segments')[0]!;
  expect(clips.length).toBeGreaterThan(0);
  const paths = Object.keys(artifacts);
  const manifests = json<Frames>('frames');
  const perClip = clips.flatMap((_, n) => {
    const clip = `clip_${String(n + 1).padStart(4, '0')}`;
    const made = paths.find((path) => path === `stage-ffmpeg-1/${clip}/clip.mkv`) ?? `stage-ffmpeg-1/${clip}/clip.mp4`;
    const sound = [made, `stage-ffmpeg-2/${clip}/audio.wav`, `stage-deepspeech/${clip}/transcript.json`];
    if (!video) return sound;
    const frames = (manifests[n]?.frames ?? []).map((frame) => `stage-ffmpeg-3/${clip}/${frame.file}`);
    return [
      ...sound,
      `stage-ffmpeg-3/${clip}/video.mp4`,
      ...frames,
      `stage-ffmpeg-3/${clip}/frames.json`,
      `stage-object-detector/${clip}/detections.json`,
    ];
  });
  expect(paths.sort()).toEqual(
    [
      ...[`input/${file}`, 'stage-ffmpeg-0/media.json', 'stage-ffmpeg-0/audio.wav'],
      ...['stage-librosa/segments.json', 'stage-librosa/batch_0001/batch.json', ...perClip],
    ].sort(),
  );
  const receipts = metadata.filter((path) => path.startsWith('metadata/items/'));
  expect(receipts).toHaveLength(4 + clips.length * (video ? 4 : 3));
}

describe.each(all)('$name', ({ name, path, expect: expected }) => {
  it(`ends ${expected.status}`, { timeout: DEADLINE * 1_000 }, async (context) => {
    const id = idOf(name, context);
    const { end, tree } = await checkEnd(id);
    expect(end).toMatchObject({ status: expected.status });
    if (expected.status === 'failed') {
      const [error] = end.errors ?? [];
      expect(error).toMatchObject({ stage: 'stage-ffmpeg-0', item: 'input', file: `input/${basename(path!)}` });
      expect(error?.code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(error?.message).toMatch(/\w+ \w+ \w+/);
      expect(error?.message).not.toMatch(/\/|undefined|Error:/);
      expect(Object.keys(tree.artifacts)).toEqual([`input/${basename(path!)}`]);
      return;
    }
    expect(end.errors).toEqual([]);
    checkTree(tree, basename(path!), expected);
    const text = textOf(tree).trim();
    if (expected.words === 'none') expect(text).toBe('');
    if (expected.words === 'any') expect(text).not.toBe('');
    if (expected.words instanceof RegExp) expect(text).toMatch(expected.words);
    const frames = tree.json<Frames>('frames').flatMap((manifest) => manifest.frames);
    if (expected.video) expect(frames.length).toBeGreaterThan(0);
    for (const { width, height } of expected.size ? frames : []) expect([width, height]).toEqual(expected.size);
    const labels = new Set(
      tree
        .json<Detections>('detections')
        .flatMap((one) => one.frames.flatMap(({ objects }) => objects.map(({ label }) => label))),
    );
    for (const label of expected.objects ?? []) expect([...labels]).toContain(label);
  });
});

describe('a rejected upload', () => {
  const refused = async (id: string): Promise<RequestState> => observed.end(id, WAIT.timeout / 1_000);

  it('rejects a file under an unknown key', async () => {
    const id = uniqueId('e2e');
    await stack.store.put(`requests/${id}/video.mp4`, 'x');
    expect(await refused(id)).toMatchObject({
      status: 'rejected',
      errors: [
        {
          code: 'invalid-key',
          file: `requests/${id}/video.mp4`,
          message: expect.stringContaining(`requests/${id}/input/`) as string,
        },
      ],
    });
  });

  it('rejects an invalid request id', async () => {
    const key = `requests/${uniqueId('bad id')}/input/video.mp4`;
    await stack.store.put(key, 'x');
    const rejected = async (): Promise<RequestState | undefined> => {
      await observed.end('_', WAIT.timeout / 1_000);
      return observed.lifecycle.find(({ input }) => input === key);
    };
    await expect.poll(rejected, WAIT).toMatchObject({ request_id: '_', status: 'rejected', errors: [{ code: 'invalid-key' }] });
  });

  it(
    'rejects a text with the name of a video, and accepts the video under the same id',
    { timeout: DEADLINE * 1_000 },
    async () => {
      const id = uniqueId('e2e');
      await stack.store.put(`requests/${id}/input/a.mp4`, 'This is not a video.\n');
      expect(await refused(id)).toMatchObject({ status: 'rejected', errors: [{ code: 'not-media' }] });
      await put(id, all[0]!.path!, {}, 'a.mp4');
      await expect
        .poll(() => observed.lifecycle.filter(({ request_id }) => request_id === id).map(({ status }) => status), {
          timeout: DEADLINE * 1_000,
        })
        .toEqual(['rejected', 'accepted', 'completed']);
    },
  );

  it('rejects an unknown option by name', async () => {
    const id = uniqueId('e2e');
    await stack.store.put(`requests/${id}/input/a.mp4`, '\0\0\0\x14ftypisom\0\0\0\0isom', {
      headers: encodeOptions({ intervall: '2' }),
    });
    expect(await refused(id)).toMatchObject({
      errors: [{ code: 'unknown-option', message: expect.stringContaining('"intervall"') as string }],
    });
    await expect
      .poll(async () => (await stack.store.getText(`requests/${id}/metadata/state.json`))?.text, WAIT)
      .toContain('unknown-option');
  });

  it('rejects a second input of a request, and completes the first', { timeout: DEADLINE * 1_000 }, async () => {
    const id = uniqueId('e2e');
    await put(id, all[0]!.path!);
    await put(id, all[0]!.path!, {}, 'second.mp4');
    const ends = (): RequestState[] =>
      observed.lifecycle.filter(({ request_id, status }) => request_id === id && status !== 'accepted');
    await expect
      .poll(
        () =>
          ends()
            .map(({ status }) => status)
            .sort(),
        { timeout: DEADLINE * 1_000 },
      )
      .toEqual(['completed', 'rejected']);
    expect(ends().find(({ status }) => status === 'rejected')).toMatchObject({ errors: [{ code: 'input-replaced' }] });
  });
});

describe('a request that is disturbed', () => {
  it('produces the same bytes as an undisturbed one, and one completed event', { timeout: DEADLINE * 1_000 }, async () => {
    const calm = await checkEnd(ids.get('calm')!);
    const disturbed = await checkEnd(ids.get('disturbed')!);
    expect([...killed].sort()).toEqual(serviceNames(graph).sort());
    expect([calm.end.status, disturbed.end.status]).toEqual(['completed', 'completed']);
    expect(disturbed.end.errors).toEqual([]);
    expect(disturbed.tree.artifacts).toEqual(calm.tree.artifacts);
    checkTree(disturbed.tree, basename(twice), { status: 'completed' });
  });
});

describe(TALK, () => {
  interface Truth {
    readonly segments: readonly { start: number; end: number; text: string }[];
    readonly scenes: readonly { start: number; end: number; objects: readonly string[] }[];
  }
  const truth = async ({ skip }: TestContext): Promise<Truth> =>
    JSON.parse(await readFile(findMedia('walk-and-talk.truth.json') ?? skip(NO_MEDIA), 'utf8')) as Truth;

  it('transcribes words at the times of the speech', { timeout: DEADLINE * 1_000 }, async (context) => {
    const { segments } = await truth(context);
    const { tree } = await checkEnd(idOf(TALK, context));
    const words = tree.json<Transcript>('transcript').flatMap(({ utterances }) => utterances.flatMap((one) => one.words));
    const within = (time: number): boolean => segments.some(({ start, end }) => time > start - 0.5 && time < end + 0.5);
    const stray = words.filter(({ start, end }) => !within((start + end) / 2));
    expect(stray.length).toBeLessThanOrEqual(words.length * 0.05);
    // Spoken once, and recognised: https://en.wikisource.org/wiki/John_F._Kennedy's_Inaugural_Address
    for (const { text, start, end } of words.filter((word) => /^(fellow|americans|country)$/i.test(word.text)))
      expect([text, start > 15.4 && end < 26.5]).toEqual([text, true]);
    for (const { start, end } of segments)
      expect(words.filter((word) => word.start > start - 0.5 && word.end < end + 0.5).length).toBeGreaterThan(2);
  });

  it('names the two speakers', { timeout: DEADLINE * 1_000 }, async (context) => {
    const { segments } = await truth(context);
    const { tree } = await checkEnd(idOf(TALK, context));
    const { utterances } = mergeTimeline({ transcripts: tree.json<Transcript>('transcript'), detections: [] });
    for (const { start, end, speaker } of utterances) {
      const segment = segments.findIndex((each) => start < each.end && end > each.start);
      // The third segment is a speech of another person.
      if (segment >= 0) expect([segment, speaker]).toEqual([segment, segment === 2 ? 'speaker 2' : 'speaker 1']);
    }
  });

  it('detects objects at the times of their appearance', { timeout: DEADLINE * 1_000 }, async (context) => {
    const { scenes } = await truth(context);
    const { tree } = await checkEnd(idOf(TALK, context));
    const frames = tree.json<Detections>('detections').flatMap((one) => one.frames);
    for (const { start, end, objects } of scenes) {
      const seen = frames
        .filter(({ time }) => time > start - 1 && time < end + 1)
        .flatMap((frame) => frame.objects.map(({ label }) => label));
      for (const label of objects) expect(seen).toContain(label);
    }
    for (const label of ['person', 'car']) {
      const times = frames
        .filter(({ objects }) => objects.some((object) => object.label === label && object.score > 0.6))
        .map(({ time }) => time);
      const places = scenes.filter(
        ({ objects, ...scene }) => objects.includes(label) || (label === 'person' && scene.start === 36),
      );
      expect(times.filter((time) => !places.some(({ start, end }) => time > start - 1 && time < end + 1))).toEqual([]);
    }
  });
});

it('publishes only valid events, and only dead letters that their requests report', { timeout: DEADLINE * 1_000 }, async () => {
  for (const id of ids.values()) await observed.end(id, DEADLINE);
  expect(observed.wrong).toEqual([]);
  expect(observed.landed.length).toBeGreaterThan(50);
  const letters = await readStoredMessages<{ landed?: { request_id: string } }>(stack, 'FAVE_DLQ', 'fave.dlq.>');
  const failed = new Set(observed.lifecycle.filter(({ errors = [] }) => errors.length > 0).map(({ request_id }) => request_id));
  expect(letters.filter(({ landed }) => !failed.has(landed?.request_id ?? ''))).toEqual([]);
});
