import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import { exec } from '../../support/exec.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { findPrlimit, isStartFailure, limitHit, prlimitArgs, toolLimits } from '../../../shared/tools/limits.ts';
import { mediaFolder, createPicture } from '../../support/media.ts';

const MB = 1024 * 1024;
const wide = { memory: 4096 * MB, cpu: 600, fileSize: 1024 * MB };
const failed = (run: Promise<unknown>): Promise<ToolError> =>
  run.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as ToolError,
  );

describe('toolLimits', () => {
  it.each(['ffmpeg', 'ffprobe', 'pocketsphinx_batch'])('limits %s by default', (tool) => {
    expect(toolLimits({})(tool)).toEqual({ memory: 4096 * MB, cpu: 3600, fileSize: 16_384 * MB });
  });

  it('limits the physical memory of whisper', () => {
    const limits = toolLimits({})('whisper');
    expect(limits).toEqual({ memory: 4096 * MB, resident: true, cpu: 3600, fileSize: 16_384 * MB });
    expect(prlimitArgs(limits!, 'node', []).join(' ')).not.toContain('--as');
  });

  it('does not limit programs that open no uploads', () => {
    expect(toolLimits({})('mc')).toBeUndefined();
  });

  it('reads limits from the environment and rejects invalid ones', () => {
    const env = { FAVE_TOOL_MEMORY_MB: '512', FAVE_TOOL_CPU_SECONDS: '7', FAVE_TOOL_FILE_MB: '9' };
    expect(toolLimits(env)('ffmpeg')).toEqual({ memory: 512 * MB, cpu: 7, fileSize: 9 * MB });
    expect(() => toolLimits({ FAVE_TOOL_MEMORY_MB: 'much' })).toThrow(PermanentError);
    expect(() => toolLimits({ FAVE_TOOL_CPU_SECONDS: '0' })).toThrow('FAVE_TOOL_CPU_SECONDS');
  });

  it('passes limits to prlimit, and separates the command by --', () => {
    expect(prlimitArgs({ memory: 5, cpu: 6, fileSize: 7 }, 'tool', ['-a', ''])).toEqual([
      '--as=5',
      '--cpu=6:8',
      '--fsize=7',
      '--core=0',
      '--',
      'tool',
      '-a',
      '',
    ]);
  });

  it('does not attribute other failures to a limit', () => {
    const end = { exitCode: 1, killedBy: undefined, stderr: 'Invalid data found when processing input' };
    expect(limitHit(wide, end)).toBeUndefined();
    expect(limitHit(wide, { exitCode: undefined, killedBy: 'SIGSEGV', stderr: '' })).toBeUndefined();
    expect(isStartFailure(127, 'ffmpeg: no such codec')).toBe(false);
  });

  it('finds an executable prlimit in PATH', () => {
    const folder = join(mediaFolder(), 'bin');
    mkdirSync(folder, { recursive: true });
    expect(findPrlimit(folder)).toBeUndefined();
    const program = join(folder, 'prlimit');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o644);
    expect(process.getuid?.() === 0 ? undefined : findPrlimit(folder)).toBeUndefined();
    chmodSync(program, 0o755);
    expect(findPrlimit(`:/no/such/folder:${folder}`)).toBe(program);
    expect(findPrlimit()).toBeUndefined();
  });
});

describe.skipIf(findPrlimit(process.env['PATH']) === undefined)('exec with limits', () => {
  const decode = (...args: string[]): string[] => ['-nostdin', '-v', 'error', '-y', ...args];
  const target = (name: string): string => join(mediaFolder(), name);

  it('throws tool-limit for a tool that needs too much memory', async () => {
    const args = decode(...createPicture({ size: '7680x4320', seconds: 1 }), '-c:v', 'libx264', target('8k.mp4'));
    const error = await failed(exec('ffmpeg', args, { limits: { ...wide, memory: 700 * MB } }));
    expect(error).toMatchObject({ code: 'tool-limit', limit: '700 MB of memory (FAVE_TOOL_MEMORY_MB)' });
    expect(error.message).toContain('ffmpeg exceeded the limit of 700 MB of memory (FAVE_TOOL_MEMORY_MB)');
  });

  it('throws tool-limit for a tool that uses too much processor time', async () => {
    const args = decode(...createPicture({ size: '1280x720', seconds: 3600 }), '-c:v', 'libx264', '-f', 'null', '-');
    const error = await failed(exec('ffmpeg', args, { limits: { ...wide, cpu: 1 } }));
    expect(error).toMatchObject({ code: 'tool-limit', limit: '1 seconds of processor time (FAVE_TOOL_CPU_SECONDS)' });
  });

  it('kills a tool that ignores SIGXCPU', async () => {
    const ignore = `process.on('SIGXCPU', () => {}); for (;;);`;
    const error = await failed(exec(process.execPath, ['-e', ignore], { limits: { ...wide, memory: 1024 * 1024 * MB, cpu: 1 } }));
    expect(['SIGXCPU', 'SIGKILL']).toContain(error.killedBy);
  });

  it('throws tool-limit for a tool that writes a file that is too large', async () => {
    const args = decode('-f', 'lavfi', '-i', 'anullsrc', '-t', '3600', '-c:a', 'pcm_s16le', target('long.wav'));
    const error = await failed(exec('ffmpeg', args, { limits: { ...wide, fileSize: MB } }));
    expect(error).toMatchObject({ code: 'tool-limit', limit: 'a file of 1 MB (FAVE_TOOL_FILE_MB)' });
  });

  it('throws tool-missing for a program that does not exist', async () => {
    expect(await failed(exec('no-such-tool', [], { limits: wide }))).toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining('no-such-tool could not be started (ENOENT)') as string,
    });
  });

  it('disables core dumps, and stops the tool on abort', async () => {
    const { stdout } = await exec('sh', ['-c', 'ulimit -c; ulimit -v; ulimit -f'], { limits: wide });
    expect(stdout.trim().split('\n').map(Number).slice(0, 2)).toEqual([0, wide.memory / 1024]);
    const stop = new AbortController();
    const run = exec('sh', ['-c', 'echo ready; exec sleep 600'], {
      limits: wide,
      signal: stop.signal,
      onLine: () => {
        stop.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
  });
});
