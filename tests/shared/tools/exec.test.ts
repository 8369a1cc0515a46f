import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import { exec } from '../../support/exec.ts';
import { TAIL, type ExecOptions } from '../../../shared/tools/exec.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { WAIT } from '../../support/wait.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const program = join(import.meta.dirname, '../../fixtures/programs/tool.mjs');
const tool = (args: readonly string[], options?: ExecOptions) => exec(process.execPath, [program, ...args], options);
const failed = (run: Promise<unknown>): Promise<ToolError> =>
  run.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as ToolError,
  );

/** Whether a process runs; one that waits for its parent to read its end has ended. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Starts a tool and returns the process that it names when it is ready. */
async function started(args: readonly string[], options: ExecOptions = {}): Promise<{ pid: number; run: Promise<unknown> }> {
  let run: Promise<unknown> = Promise.resolve();
  const pid = await new Promise<number>((resolve, reject) => {
    const onLine = (line: string): void => void (line.startsWith('ready') && resolve(Number(line.split(' ')[1])));
    run = tool(args, { ...options, onLine });
    run.catch(reject);
  });
  return { pid, run };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a tool that fails', () => {
  it('says its exit code and its last words', async () => {
    const error = await failed(tool(['exit', '3', 'a\nb: no such thing\n\n']));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({
      code: 'tool-failed',
      exitCode: 3,
      killedBy: undefined,
      timedOut: false,
      stderr: 'a\nb: no such thing\n\n',
    });
    expect(error.message).toBe(`${process.execPath} failed with exit code 3: b: no such thing`);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGABRT'] as const)('by %s says so', async (signal) => {
    expect(await failed(tool(['die', signal]))).toMatchObject({ code: 'tool-failed', killedBy: signal, exitCode: undefined });
  });

  it('as a shell reports a signal says the signal', async () => {
    expect(await failed(tool(['exit', '139']))).toMatchObject({
      killedBy: 'SIGSEGV',
      exitCode: 139,
      message: expect.stringContaining('was killed by SIGSEGV') as string,
    });
  });

  it('because it does not exist is missing', async () => {
    expect(await failed(exec('no-such-tool', []))).toMatchObject({
      code: 'tool-missing',
      message: 'no-such-tool could not be started (ENOENT)',
    });
  });

  it('because its directory does not exist does not start either', async () => {
    expect(await failed(tool(['env'], { cwd: '/proc/no-such-directory' }))).toMatchObject({ code: 'tool-missing' });
  });
});

it('kills the group of a tool whose processes together exceed the limit of physical memory', async () => {
  const limits = { memory: 200 * 1024 * 1024, resident: true, cpu: 600, fileSize: 1024 * 1024 };
  expect(await failed(tool(['allocate'], { name: 'whisper', limits }))).toMatchObject({
    code: 'tool-limit',
    killedBy: 'SIGKILL',
    message: 'whisper exceeded the limit of 200 MB of memory (FAVE_TOOL_MEMORY_MB)',
  });
});

describe('a tool that hangs', () => {
  it('is killed when it takes too long', async () => {
    expect(await failed(tool(['hang'], { timeout: 300 }))).toMatchObject({
      code: 'tool-timeout',
      timedOut: true,
      message: expect.stringContaining('took too long') as string,
    });
  });

  it('is killed when told so, and the reason is the caller’s', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['hang'], { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(runs(pid)).toBe(false);
  });

  it('and does not listen is killed all the same', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['stubborn'], { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(runs(pid)).toBe(false);
  });

  it('in a process of its own making dies with it', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['parent'], { signal: stop.signal });
    expect(runs(pid)).toBe(true);
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await vi.waitUntil(() => !runs(pid), WAIT);
  });

  it('is not even started after the end', async () => {
    await expect(tool(['hang'], { signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over');
  });
});

it.each(['0', '1'])('a process that a tool leaves behind is killed (exit code %s)', async (code) => {
  const lines: string[] = [];
  await tool(['orphan', code], { onLine: (line) => lines.push(line) }).catch(() => undefined);
  await vi.waitUntil(() => !runs(Number(lines[0])), WAIT);
});

describe('output', () => {
  it('beyond 64 MB is a tool gone mad', async () => {
    expect(await failed(tool(['print', '100']))).toMatchObject({ code: 'tool-failed', killedBy: 'SIGKILL' });
  });

  it('read by lines may be of any length, and is not kept', async () => {
    let count = 0;
    const { stdout } = await tool(['print', '100'], { onLine: () => void count++ });
    expect(count).toBe(100 * 1_024 + 1);
    expect(stdout).toBe('');
  });

  it('on standard error is kept to its last words', async () => {
    const { stderr } = await tool(['print', '20', 'stderr']);
    expect(stderr).toHaveLength(TAIL);
    expect(stderr).toMatch(/x\nthe end\n$/);
  });

  it('comes in whole characters and lines, also the last', async () => {
    const lines: string[] = [];
    await tool(['pieces'], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'twö', '', 'three']);
    expect((await tool(['pieces'])).stdout).toBe('one\ntwö\n\nthree');
  });
});

describe('a tool’s surroundings', () => {
  const seen = async (options: ExecOptions, ...args: string[]) =>
    JSON.parse((await tool(['env', ...args], options)).stdout) as { env: Record<string, string>; cwd: string; args: string[] };

  it('hold no credentials', async () => {
    vi.stubEnv('ARTIFACT_SECRET_KEY', 'secret');
    const dir = realpathSync(createTempDir());
    const { env, cwd } = await seen({ cwd: dir, env: { EXTRA: '1' } });
    expect(cwd).toBe(dir);
    expect(env).toEqual({ PATH: process.env['PATH'], HOME: dir, XDG_RUNTIME_DIR: dir, LC_ALL: 'C.UTF-8', EXTRA: '1' });
  });

  it('are no shell', async () => {
    const args = ['$HOME', '; exit 1', "a'b", '', '*'];
    expect((await seen({}, ...args)).args).toEqual(args);
  });

  it('hold no standard input to wait for', async () => {
    expect((await tool(['stdin'])).stdout).toBe('closed\n');
  });
});

it('nothing stays registered at a signal that outlives the tools', async () => {
  const { signal } = new AbortController();
  const remove = vi.spyOn(signal, 'removeEventListener');
  const add = vi.spyOn(signal, 'addEventListener');
  await tool(['env'], { signal });
  await tool(['exit', '1'], { signal }).catch(() => undefined);
  expect(add).toHaveBeenCalledTimes(2);
  expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(add.mock.calls.map(([, listener]) => listener));
});
