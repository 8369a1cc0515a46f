import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeRecord } from '../../infra/instance/record.ts';
import { identityOf } from '../../infra/process/identity.ts';
import { root } from '../../infra/process/paths.ts';
import { createTempDir } from '../support/temp-dir.ts';

let dir = '';
let cached = '';
beforeEach(() => {
  dir = createTempDir();
  cached = join(dir, 'cache/fave/models/ggml-base-q8_0.bin');
  mkdirSync(join(cached, '..'), { recursive: true });
  mkdirSync(join(dir, 'own'));
  writeFileSync(cached, 'x'.repeat(2_000));
});

/** Runs `fave models …` as a process, because its cache follows from the environment. */
function models(line: string, env: Record<string, string> = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = [join(root, 'cli/main.ts'), 'models', ...line.split(' ')];
  const all = { PATH: process.env['PATH'], XDG_CACHE_HOME: join(dir, 'cache'), FAVE_DATA_DIR: join(dir, 'data'), ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: all, cwd: dir }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Records this process as the launcher of an instance. */
function recordInstance(whisperModel: string): Promise<void> {
  const dataDir = join(dir, 'data');
  return writeRecord({
    launcher: identityOf(process.pid),
    state: 'ready',
    dataDir,
    ports: { minio: 1, console: 2, nats: 3, monitor: 4 },
    endpoint: '',
    bucket: '',
    natsUrl: '',
    own: { store: true, bus: true },
    whisperModel,
    processes: [],
  });
}

describe('fave models', () => {
  it('lists installed and available models and marks the one in use', async () => {
    writeFileSync(join(dir, 'own/ggml-tiny.bin'), '');
    const { stdout } = await models('ls', { FAVE_MODELS: join(dir, 'own') });
    expect(stdout).toMatch(/^\* +tiny +0 B +installed +\/.*own\/ggml-tiny\.bin$/m);
    expect(stdout).toMatch(/^ +base-q8_0 +2\.0 kB +installed +\/.*ggml-base-q8_0\.bin$/m);
    expect(stdout).toMatch(/^ +small-q8_0 +264\.5 MB +available/m);
    const [first = ''] = (await models('ls --json', { FAVE_WHISPER_MODEL: 'base-q8_0' })).stdout.split('\n');
    expect(JSON.parse(first)).toEqual({
      kind: 'whisper',
      name: 'base-q8_0',
      bytes: 2_000,
      state: 'installed',
      path: cached,
      used: true,
    });
  });

  it('prints the path of an installed model and does not download it', async () => {
    expect(await models('pull base-q8_0')).toMatchObject({ code: 0, stdout: `${cached}\n` });
  });

  it('rejects unknown names and files with a wrong digest', async () => {
    writeFileSync(join(dir, 'own/ggml-tiny.bin'), 'not the model');
    const env = { FAVE_MODELS_URL: pathToFileURL(join(dir, 'own')).href };
    expect((await models('pull huge', env)).stderr).toContain('unknown model "huge"');
    const { code, stderr } = await models('pull tiny', env);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('the file was discarded') as string });
    expect(existsSync(join(cached, '../ggml-tiny.bin.part'))).toBe(false);
  });

  it('deletes a model and an unfinished download, and reports the freed bytes', async () => {
    writeFileSync(`${cached}.part`, 'x'.repeat(500));
    expect(await models('rm base-q8_0')).toMatchObject({ code: 0, stdout: 'deleted base-q8_0, freed 2.5 kB\n' });
    expect([existsSync(cached), existsSync(`${cached}.part`)]).toEqual([false, false]);
    expect((await models('rm base-q8_0')).stderr).toContain('base-q8_0 is not in');
  });

  it('keeps the model of the running instance unless forced', async () => {
    await recordInstance(cached);
    const refused = await models('rm base-q8_0');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the running instance uses base-q8_0') as string });
    expect(existsSync(cached)).toBe(true);
    expect(await models('rm base-q8_0 --force')).toMatchObject({ code: 0 });
  });
});
