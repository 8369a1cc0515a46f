import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findMissingRules } from '../../cli/checks/store.ts';
import { writeMedia } from '../support/media.ts';
import { checkSpeechEngine } from '../../cli/checks/tools.ts';
import { quote } from '../../cli/commands/instance/env.ts';
import { resolveSafePath } from '../../shared/results/download.ts';
import { mermaid } from '../../cli/commands/instance/graph.ts';
import { formatRequests } from '../../cli/commands/requests/ls.ts';
import { codeOf } from '../../shared/core/errors.ts';
import { listRequests, sortNewestFirst } from '../../shared/requests/list-requests.ts';
import { requireState } from '../../shared/requests/read-request.ts';
import type { Store } from '../../shared/store/store.ts';
import { identityOf } from '../../infra/process/identity.ts';
import { targetArns } from '../../infra/servers/minio.ts';
import { graph } from '../../services/pipeline.ts';
import { failure, fave, lastJson, record } from '../support/harness/run-cli.ts';
import { createTempDir } from '../support/temp-dir.ts';

let dir: string;
beforeAll(async () => {
  dir = createTempDir();
  await writeFile(join(dir, 'a.mp4'), 'a');
});

describe('invalid calls', () => {
  it.each([
    ['submit'],
    ['submit none.mp4'],
    ['submit .'],
    ['submit a.mp4 a.mp4 --id x'],
    ['submit a.mp4 --id x/y'],
    ['submit a.mp4 --id _'],
    ['submit a.mp4 --option nothing=1'],
    ['submit a.mp4 --option threshold=9'],
    ['status x/y'],
    ['watch x/y'],
    ['get x/y .'],
    ['result x --srt --vtt'],
    ['ls --limit 0'],
    ['nonsense'],
  ])('exits with 2 and explains the error: fave %s', async (line) => {
    const { code, stdout, stderr } = await fave(line.split(' '), { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/\w+/);
  });
});

it('explains how to name an id that begins with a hyphen', async () => {
  expect(await fave(['status', '-x1'])).toMatchObject(failure('fave status -- -x1', 2));
  expect(await fave(['status', '--', '-x1'], { env: { FAVE_DATA_DIR: '/nonexistent' } })).toMatchObject(failure('no instance'));
});

it.skipIf(!existsSync('/dev/full'))('reports in one line that the output cannot be written', () => {
  const full = openSync('/dev/full', 'w');
  const program = join(import.meta.dirname, '../../dist/fave.mjs');
  const run = spawnSync(process.execPath, [program, 'graph'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
  closeSync(full);
  expect([run.status, run.stderr]).toEqual([1, expect.stringMatching(/^fave: the output cannot be written: ENOSPC[^\n]*\n$/)]);
});

it('lists a request with the status and the input that fave status shows', async () => {
  const objects: Record<string, string> = {
    'requests/admitted/metadata/request.json': JSON.stringify({
      input: { file: 'a.mp4', etag: 'e', size: 1 },
      options: {},
      run: 2,
    }),
    'requests/invalid/metadata/state.json': '{}',
    'requests/refused/metadata/state.json': JSON.stringify({
      request_id: 'refused',
      run: 1,
      status: 'ignored',
      input: 'requests/refused/input/.b',
    }),
    'requests/uploaded/input/a.mp4': 'x',
  };
  const store = {
    listPrefixes: () => ['admitted', 'invalid', 'refused', 'uploaded'],
    list: function* (prefix: string) {
      for (const key of Object.keys(objects))
        if (key.startsWith(prefix)) yield { key, etag: 'e', size: 1, modified: new Date(0) };
    },
    getText: (key: string) => Promise.resolve(key in objects ? { text: objects[key], etag: 'e' } : undefined),
    head: () => Promise.resolve(undefined),
  } as unknown as Store;
  const { requests } = await listRequests(store, 10);
  expect(requests).toHaveLength(4);
  for (const { request_id, status, input } of requests) {
    const state = await requireState(store, request_id).catch((error: unknown) => ({ status: codeOf(error), input: null }));
    expect({ status, input }).toMatchObject({ status: state.status, input: state.input ?? null });
  }
  expect(formatRequests(requests, record(), 0).join('\n')).toMatch(/refused +ignored +\.b/);
});

describe('without an instance', () => {
  const nowhere = { FAVE_DATA_DIR: '/nonexistent' };
  it.each([['status x'], ['ls'], ['watch'], ['result x'], ['get x .'], ['env'], ['submit a.mp4'], ['doctor']])(
    'exits with 1 and names npm start: fave %s',
    async (line) => {
      const run = await fave(line.split(' '), { cwd: dir, env: nowhere });
      expect(run.code).toBe(1);
      expect(run.stdout + run.stderr).toMatch(/npm start/);
    },
  );
  it('stops nothing and succeeds', async () => {
    expect(await fave(['down'], { env: nowhere })).toMatchObject({ code: 0, stdout: 'no instance is running in /nonexistent\n' });
  });
  it('reports the address of a server that does not answer', async () => {
    const env = { ARTIFACT_ENDPOINT: 'http://127.0.0.1:1', NATS_URL: 'nats://127.0.0.1:1' };
    expect(await fave(['ls'], { env })).toMatchObject(failure('127.0.0.1:1 does not answer'));
  });
});

describe('env', () => {
  it('quotes every value for a POSIX shell', async () => {
    const data = join(dir, "it's data");
    const record = {
      launcher: identityOf(process.pid),
      state: 'ready',
      dataDir: data,
      ports: {},
      endpoint: 'http://127.0.0.1:9',
      bucket: 'b',
      natsUrl: 'nats://127.0.0.1:8',
      own: { store: true, bus: true },
      processes: [],
    };
    execFileSync('mkdir', [data]);
    await writeFile(join(data, 'instance.json'), JSON.stringify(record));
    await writeFile(
      join(data, 'secrets.json'),
      JSON.stringify({ bus: { admin: 'bus-secret' }, store: { 'fave-admin': 'store-secret' } }),
    );
    const env = { FAVE_DATA_DIR: data, PATH: '/usr/bin' };
    const { stdout } = await fave(['env'], { env });
    const shown = execFileSync(
      '/bin/sh',
      ['-c', `${stdout}\nprintf '%s\\n' "$PATH" "$FAVE_DATA_DIR" "$MC_HOST_fave" "$NATS_PASSWORD"`],
      { encoding: 'utf8', env: { PATH: '/bin:/usr/bin' } },
    );
    // The programs of the instance precede the PATH of the shell, which has no others.
    expect(shown.split('\n')).toEqual([
      `${data}/bin:/bin:/usr/bin`,
      data,
      'http://fave-admin:store-secret@127.0.0.1:9',
      'bus-secret',
      '',
    ]);
    expect(lastJson(await fave(['env', '--json'], { env }))).toMatchObject({
      ARTIFACT_BUCKET: 'b',
      ARTIFACT_SECRET_KEY: 'store-secret',
    });
  });
  it('escapes single quotes', () => {
    expect(quote("a'b")).toBe(`'a'\\''b'`);
  });
});

describe('graph', () => {
  it('draws an arrow for every consumed kind', async () => {
    const drawn = mermaid(graph);
    for (const { name, consumes } of graph.stages)
      expect(drawn.filter((line) => line.endsWith(` ${name}`) && line.includes(consumes.name))).not.toEqual([]);
    const { stages, options } = lastJson(await fave(['graph', '--json'])) as { stages: { name: string }[]; options: object };
    expect(stages.map(({ name }) => name)).toEqual(graph.stages.map(({ name }) => name));
    expect(Object.keys(options)).toContain('threshold');
  });
});

describe('resolveSafePath', () => {
  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a\\..\\b', '', 'a/./b', 'a\0b'])('rejects %j', (key) => {
    expect(resolveSafePath('/data/out', key)).toBeUndefined();
  });
  it('keeps the folders of a key', () => {
    expect(resolveSafePath('/data/out', 'stage/clip_0001/a.json')).toBe('/data/out/stage/clip_0001/a.json');
    expect(resolveSafePath('/', 'a')).toBe('/a');
  });
});

describe('sortNewestFirst', () => {
  it('puts requests without a state first, then the newest', () => {
    const of = (request_id: string, accepted_at: string | null) => ({
      request_id,
      accepted_at,
      status: 'running' as const,
      input: null,
      duration_ms: null,
      errors: 0,
    });
    const all = [of('old', '2026-01-01T00:00:00Z'), of('new', '2026-02-01T00:00:00Z'), of('just', null)];
    expect(sortNewestFirst(all).map(({ request_id }) => request_id)).toEqual(['just', 'new', 'old']);
  });
});

describe('doctor', () => {
  it('reports a rule that one target lacks', () => {
    const rules = [{ prefix: 'requests/', suffix: '/audio.wav' }];
    const rule = (arn: string) => ({
      Queue: arn,
      Filter: [
        { Name: 'suffix', Value: '/audio.wav' },
        { Name: 'prefix', Value: 'requests/' },
      ],
    });
    expect(findMissingRules({ QueueConfiguration: targetArns.map(rule) }, rules)).toEqual([]);
    expect(findMissingRules({ QueueConfiguration: [rule(targetArns[0] ?? '')] }, rules)).toEqual([
      `requests/*/audio.wav → ${targetArns[1] ?? ''}`,
    ]);
    expect(findMissingRules({}, rules)).toHaveLength(targetArns.length);
  });
});

describe('checkSpeechEngine', () => {
  const model = writeMedia('ggml-base.bin', 'lmgg');
  const found = (env: Record<string, string>): string => checkSpeechEngine({ HOME: '/nowhere', PATH: '', ...env }).found;

  it('names the engine and the reason', () => {
    expect(found({ FAVE_WHISPER_MODEL: 'none' })).toBe('pocketsphinx, because FAVE_WHISPER_MODEL is none');
    expect(found({ FAVE_WHISPER_MODEL: model, FAVE_WHISPER_SERVER: '/bin/true' })).toMatch(/^whisper, /);
  });
});

describe('models', () => {
  it('lists the models, also after an unknown name', async () => {
    expect((await fave(['models', 'ls'])).stdout).toMatch(/^ +tiny +77\.7 MB/m);
    expect(await fave(['models', 'pull', 'nothing'])).toMatchObject(failure('tiny'));
  });
});
