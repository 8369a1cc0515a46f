import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { uploadFile } from '../../shared/requests/submission.ts';
import { serviceNames } from '../../infra/deployment/services.ts';
import { graph } from '../../services/pipeline.ts';
import { generateMedia, h264, createPicture, speech, writeMedia } from '../support/media.ts';
import { useSharedStack, uniqueId, type Stack } from '../support/stack.ts';
import { fave, lastJson } from '../support/harness/run-cli.ts';
import { createTempDir } from '../support/temp-dir.ts';

let servers: Stack;
let env: Record<string, string>;
let dir: string;
let video: string;
let cutOff: string;

beforeAll(async () => {
  servers = await useSharedStack();
  await servers.startServices(serviceNames(graph));
  env = { ...servers.environment, PATH: process.env['PATH'] ?? '' };
  dir = createTempDir();
  video = generateMedia(
    'spoken.mp4',
    ...createPicture({ seconds: 4 }),
    '-i',
    speech('words.wav', 'We will be there tomorrow morning at seven'),
    '-shortest',
    ...h264,
  );
  cutOff = writeMedia('cut off (ž).mp4', '\0\0\0\x14ftypisom\0\0\0\0isom');
});

describe('a request', () => {
  const id = uniqueId('cli');

  it('is followed to its end, which is one JSON object on the last line', async () => {
    const run = await fave(['submit', video, '--id', id, '--option', 'interval=2', '--wait', '--json'], { env });
    expect(lastJson(run)).toMatchObject({
      request_id: id,
      status: 'completed',
      errors: [],
      outputs: { transcript: 1, detections: 1 },
      stages: { 'stage-ffmpeg-0': { done: 1 } },
    });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/completed spoken.mp4/);
  });

  it('can be submitted again: the same input changes nothing, another one is rejected', async () => {
    const again = await fave(['submit', video, '--id', id, '--option', 'interval=2', '--wait', '--json'], { env });
    expect([again.code, lastJson(again)['status']]).toEqual([0, 'completed']);
    const other = await fave(['submit', cutOff, '--id', id, '--wait', '--json'], { env });
    expect(other.code).toBe(1);
    expect(lastJson(other)).toMatchObject({ status: 'rejected', errors: [{ code: 'input-replaced' }] });
  });

  it('has a status and is listed', async () => {
    expect(lastJson(await fave(['status', id, '--json'], { env }))).toMatchObject({
      request_id: id,
      status: 'completed',
      options: { interval: 2 },
    });
    expect((await fave(['status', id], { env })).stdout).toMatch(/stage-ffmpeg-3 +1 of 1/);
    const { stdout, code } = await fave(['ls', '--json', '--limit', '1000'], { env });
    expect(code).toBe(0);
    expect(
      stdout
        .split('\n')
        .filter((line) => line.includes(id))
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ status: 'completed', input: 'spoken.mp4' }]);
  });

  it('has a result and subtitles', async () => {
    const { utterances, objects, duration } = lastJson(await fave(['result', id, '--json'], { env })) as {
      utterances: { start: number }[];
      objects: unknown[];
      duration: number;
    };
    expect(utterances.length).toBeGreaterThan(0);
    expect(objects).toBeInstanceOf(Array);
    expect(duration).toBeGreaterThan(1);
    expect((await fave(['result', id, '--srt'], { env })).stdout).toMatch(/^1\n00:00:0\d,\d{3} --> /);
    expect((await fave(['result', id, '--vtt'], { env })).stdout).toMatch(/^WEBVTT\n\n00:00:0\d\.\d{3} --> /);
    expect((await fave(['result', id], { env })).stdout).toMatch(/said {2}\w+/);
  });

  it('is downloaded byte for byte', async () => {
    expect((await fave(['get', id, 'out'], { env, cwd: dir })).code).toBe(0);
    expect((await readFile(join(dir, 'out', 'input', 'spoken.mp4'))).equals(await readFile(video))).toBe(true);
    expect(JSON.parse(await readFile(join(dir, 'out', 'metadata', 'state.json'), 'utf8'))).toMatchObject({ status: 'completed' });
  });

  it('is watched from its start until Ctrl-C', async () => {
    const interrupted = new AbortController();
    interrupted.abort();
    expect((await fave(['watch', id], { env, signal: interrupted.signal })).code).toBe(0);
  });
});

describe('a failure', () => {
  it('reports stage, code, message and file, with one line per file', async () => {
    const run = await fave(['submit', cutOff, video, '--option', 'interval=2', '--wait', '--json'], { env });
    const [bad, good] = run.stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { status: string; errors: { stage: string; code: string; message: string; file: string }[] },
      );
    expect(run.code).toBe(1);
    expect([bad?.status, good?.status]).toEqual(['failed', 'completed']);
    expect(bad?.errors).toMatchObject([
      {
        stage: 'stage-ffmpeg-0',
        file: 'input/cut off (ž).mp4',
        code: expect.stringMatching(/^[a-z-]+$/) as string,
        message: expect.stringMatching(/^"cut off \(ž\).mp4" is not a readable video/) as string,
      },
    ]);
  });

  it('rejects a file that is not media before the upload', async () => {
    const id = uniqueId('refused');
    const run = await fave(['submit', writeMedia('words.txt', 'words\n'), '--id', id, '--json'], { env });
    expect([run.code, lastJson(run)]).toMatchObject([1, { status: 'rejected', errors: [{ code: 'not-media' }] }]);
    expect((await fave(['status', id], { env })).stderr).toContain('there is no request');
  });

  it.each([['status'], ['result']])('reports an unknown id in one line: fave %s', async (command) => {
    const { code, stderr, stdout } = await fave([command, uniqueId('nobody')], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^fave: there is no request nobody-.*\n$/);
  });

  it('creates nothing for an unknown id: fave get', async () => {
    expect((await fave(['get', uniqueId('nobody'), 'none'], { env, cwd: dir })).code).toBe(1);
    await expect(readFile(join(dir, 'none'))).rejects.toThrow(/ENOENT/);
  });
});

describe('uploadFile', () => {
  it('uploads a large file in parts and leaves no object after an abort', async () => {
    const path = join(dir, 'large.bin');
    execFileSync('sh', ['-c', `head -c 70000000 /dev/urandom > '${path}'`]);
    const options = { headers: {}, onProgress: () => undefined };
    const key = `tmp/scratch/${uniqueId()}`;
    await uploadFile(servers.store, key, path, { ...options, signal: new AbortController().signal });
    await servers.store.download(key, join(dir, 'back.bin'));
    execFileSync('cmp', [path, join(dir, 'back.bin')]);
    await servers.store.remove(key);

    const stop = new AbortController();
    const broken = `tmp/scratch/${uniqueId()}`;
    await expect(
      uploadFile(servers.store, broken, path, { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
    ).rejects.toThrow();
    expect(await servers.store.head(broken)).toBeUndefined();
  });
});

describe('doctor', () => {
  it('finds no problem after set-up', async () => {
    const run = await fave(['doctor', '--json'], { env });
    const { checks } = lastJson(run) as { checks: { group: string; name: string; state: string }[] };
    expect(checks.filter(({ group, state }) => state === 'bad' && group !== 'tools')).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['notification rules', 'FAVE_LANDED', 'relay', 'stage-ffmpeg-0-first']),
    );
    expect(run.code).toBe(checks.some(({ state }) => state === 'bad') ? 1 : 0);
  });
});

describe('demo', () => {
  it('generates a video and prints its speech and objects', async () => {
    const { code, stdout } = await fave(['demo'], { env, cwd: dir });
    expect(code).toBe(0);
    expect(stdout).toMatch(/seen {2}person/);
    expect(stdout).toMatch(/said {2}\w+/);
  });
});
