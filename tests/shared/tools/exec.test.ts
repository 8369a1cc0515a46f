import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import { exec } from '../../support/exec.ts';
import type { ExecOptions } from '../../../shared/tools/exec.ts';
import { findReason, TAIL } from '../../../shared/tools/tool-error.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { WAIT } from '../../support/wait.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const program = join(import.meta.dirname, '../../fixtures/programs/tool.mjs');
const tool = (args: readonly string[], options?: ExecOptions) => exec(process.execPath, [program, ...args], options);
const failed = (run: Promise<unknown>): Promise<ToolError> =>
  run.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as ToolError,
  );

/** Returns whether a process runs. A zombie does not. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Starts a tool and returns the process id that it prints when it is ready. */
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

describe('exec of a tool that fails', () => {
  it('reports the exit code and the line of standard error that states why', async () => {
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

  it.each(['SIGKILL', 'SIGTERM', 'SIGABRT'] as const)('reports %s', async (signal) => {
    expect(await failed(tool(['die', signal]))).toMatchObject({ code: 'tool-failed', killedBy: signal, exitCode: undefined });
  });

  it('reports the signal of a shell-like exit code', async () => {
    expect(await failed(tool(['exit', '139']))).toMatchObject({
      killedBy: 'SIGSEGV',
      exitCode: 139,
      message: expect.stringContaining('was killed by SIGSEGV') as string,
    });
  });

  it('throws tool-missing for a program that does not exist', async () => {
    expect(await failed(exec('no-such-tool', []))).toMatchObject({
      code: 'tool-missing',
      message: 'no-such-tool could not be started (ENOENT)',
    });
  });

  it('throws tool-missing for a working directory that does not exist', async () => {
    expect(await failed(tool(['env'], { cwd: '/proc/no-such-directory' }))).toMatchObject({ code: 'tool-missing' });
  });
});

describe('findReason', () => {
  it.each<[string, string, string]>([
    [
      'the muxer, not the consequences',
      '[matroska @ 0x55d0c8a4e240] Raw RGB is not supported Natively in Matroska, you can use AVI or NUT or\n If you would like to store it as YUV, use a filter\n[out#0/matroska @ 0x55d0] Could not write header (incorrect codec parameters ?): Invalid argument\nConversion failed!',
      'matroska: Raw RGB is not supported Natively in Matroska, you can use AVI or NUT or If you would like to store it as YUV, use a filter',
    ],
    [
      'a line before repetitions',
      'Error submitting packet to decoder: Invalid data\n    Last message repeated 3 times\n',
      'Error submitting packet to decoder: Invalid data',
    ],
    [
      'an exception, not its stack',
      'node:internal/modules:1\n  throw err;\n  ^\n\nError: Cannot find module x\n    at Function.resolve (node:1)\n\nNode.js v22.1.0\n',
      'Error: Cannot find module x',
    ],
    [
      'an exception of Python',
      'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad shape\n',
      'ValueError: bad shape',
    ],
    [
      'a failure between progress',
      'INFO: loading\nERROR: "acmod.c", line 84: Folder does not contain acoustic model\nINFO: freed\n',
      'ERROR: "acmod.c", line 84: Folder does not contain acoustic model',
    ],
    ['any other last line', 'something\nhappened\n', 'happened'],
    ['nothing', '', ''],
  ])('returns %s', (_, stderr, reason) => {
    expect(findReason(stderr)).toBe(reason);
  });

  it('skips the cut line at the start of a long output', () => {
    const stderr = `${'error '.repeat(TAIL)}\nno such filter: x\n`.slice(-TAIL);
    expect(findReason(stderr)).toBe('no such filter: x');
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

describe('exec of a tool that hangs', () => {
  it('kills the tool after the timeout', async () => {
    expect(await failed(tool(['hang'], { timeout: 300 }))).toMatchObject({
      code: 'tool-timeout',
      timedOut: true,
      message: expect.stringContaining('took too long') as string,
    });
  });

  it('kills the tool on abort and throws the reason of the signal', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['hang'], { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(runs(pid)).toBe(false);
  });

  it('kills a tool that ignores SIGTERM', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['stubborn'], { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(runs(pid)).toBe(false);
  });

  it('kills the child processes of the tool', async () => {
    const stop = new AbortController();
    const { pid, run } = await started(['parent'], { signal: stop.signal });
    expect(runs(pid)).toBe(true);
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await vi.waitUntil(() => !runs(pid), WAIT);
  });

  it('does not start a tool after an abort', async () => {
    await expect(tool(['hang'], { signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over');
  });
});

it.each(['0', '1'])('kills a process that a tool leaves behind (exit code %s)', async (code) => {
  const lines: string[] = [];
  await tool(['orphan', code], { onLine: (line) => lines.push(line) }).catch(() => undefined);
  await vi.waitUntil(() => !runs(Number(lines[0])), WAIT);
});

describe('output', () => {
  it('throws tool-limit for a tool that prints more than 64 MB', async () => {
    expect(await failed(tool(['print', '100'], { name: 'ffprobe' }))).toMatchObject({
      code: 'tool-limit',
      killedBy: 'SIGKILL',
      message: 'ffprobe exceeded the limit of 64 MB of output, which is fixed',
    });
  });

  it('passes lines of any total length on and does not keep them', async () => {
    let count = 0;
    const { stdout } = await tool(['print', '100'], { onLine: () => void count++ });
    expect(count).toBe(100 * 1_024 + 1);
    expect(stdout).toBe('');
  });

  it('keeps the end of standard error', async () => {
    const { stderr } = await tool(['print', '20', 'stderr']);
    expect(stderr).toHaveLength(TAIL);
    expect(stderr).toMatch(/x\nthe end\n$/);
  });

  it('returns whole characters and lines, including the last', async () => {
    const lines: string[] = [];
    await tool(['pieces'], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'twö', '', 'three']);
    expect((await tool(['pieces'])).stdout).toBe('one\ntwö\n\nthree');
  });
});

describe('the environment of a tool', () => {
  const seen = async (options: ExecOptions, ...args: string[]) =>
    JSON.parse((await tool(['env', ...args], options)).stdout) as { env: Record<string, string>; cwd: string; args: string[] };

  it('contains no credentials', async () => {
    vi.stubEnv('ARTIFACT_SECRET_KEY', 'secret');
    const dir = realpathSync(createTempDir());
    const { env, cwd } = await seen({ cwd: dir, env: { EXTRA: '1' } });
    expect(cwd).toBe(dir);
    expect(env).toEqual({ PATH: process.env['PATH'], HOME: dir, XDG_RUNTIME_DIR: dir, LC_ALL: 'C.UTF-8', EXTRA: '1' });
  });

  it('does not involve a shell', async () => {
    const args = ['$HOME', '; exit 1', "a'b", '', '*'];
    expect((await seen({}, ...args)).args).toEqual(args);
  });

  it('has a closed standard input', async () => {
    expect((await tool(['stdin'])).stdout).toBe('closed\n');
  });
});

it('removes its listeners from a signal that outlives the tool', async () => {
  const { signal } = new AbortController();
  const remove = vi.spyOn(signal, 'removeEventListener');
  const add = vi.spyOn(signal, 'addEventListener');
  await tool(['env'], { signal });
  await tool(['exit', '1'], { signal }).catch(() => undefined);
  expect(add).toHaveBeenCalledTimes(2);
  expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(add.mock.calls.map(([, listener]) => listener));
});
