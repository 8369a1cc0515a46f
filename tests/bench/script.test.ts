import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Receipt } from '../../schemas/generated/types.ts';
import { planPhases, writeScript } from '../../bench/script/script.ts';
import { createTempDir } from '../support/temp-dir.ts';

function receipt(stage: string, item: string, ...tools: string[][]): Receipt {
  const commands = tools.map(([command = '', ...args]) => ({ command, args, duration_ms: 1 }));
  return { stage, item, tools: commands } as unknown as Receipt;
}

test('orders jobs by their dependencies and takes commands from receipts', () => {
  const receipts = [
    receipt('stage-ffmpeg-0', 'input', ['ffprobe', 'file:./sources/input/a.mp4']),
    receipt('stage-ffmpeg-1', 'segments', ['ffmpeg', 'one'], ['ffmpeg', 'two']),
    receipt('stage-ffmpeg-2', 'batch_0001', ['ffmpeg', 'file:./sources/audio/1/audio.wav']),
    receipt('stage-ffmpeg-3', 'clip_0002', ['ffmpeg', 'file:./sources/clip/2/clip.mp4']),
  ];
  const phases = planPhases(receipts, {
    source: '/media/a.mp4',
    clips: [{ path: '/speech.wav', start: 0, end: 2 }],
    frames: { clip_0002: 'manifest' },
    librosa: (audio) => ['analyse', audio],
    detector: (folders) => ['detect', ...folders],
    speech: (list) => ['transcribe', list],
  });
  expect(phases).toEqual([
    [{ dir: 'audio', commands: [['ffprobe', 'file:./sources/input/a.mp4']], links: { 'sources/input/a.mp4': '/media/a.mp4' } }],
    [{ dir: 'segments', commands: [['analyse', '../audio/audio.wav']] }],
    [
      {
        dir: 'cut',
        commands: [
          ['ffmpeg', 'one'],
          ['ffmpeg', 'two'],
        ],
        links: { 'sources/input/a.mp4': '/media/a.mp4' },
      },
    ],
    [
      {
        dir: 'speech',
        commands: [['ffmpeg', 'file:./sources/audio/1/audio.wav']],
        links: { 'sources/audio/1/audio.wav': 'audio/audio.wav' },
      },
      {
        dir: 'pictures/2',
        commands: [['ffmpeg', 'file:./sources/clip/2/clip.mp4']],
        links: { 'sources/clip/2/clip.mp4': 'cut/clip_2.mp4' },
        files: { 'frames.json': 'manifest' },
      },
    ],
    [
      { dir: 'objects', commands: [['detect', '../pictures/2']] },
      {
        dir: 'transcripts',
        commands: [['transcribe', 'clips.json']],
        files: { 'clips.json': '[{"path":"/speech.wav","start":0,"end":2}]' },
      },
    ],
  ]);
});

test('links outputs of earlier phases and quotes all arguments', async () => {
  const dir = createTempDir();
  const source = join(dir, 'source');
  writeFileSync(source, 'it’s $HOME; `date`');
  const first = { dir: 'first', commands: [['cp', './in', './a file']], links: { in: source } };
  const second = { dir: 'second', commands: [['cp', "./it's in", './out']], links: { "it's in": 'first/a file' } };
  await writeScript([[first], [second]], dir, 2);
  execFileSync('sh', [join(dir, 'run.sh')]);
  expect(readFileSync(join(dir, 'second', 'out'), 'utf8')).toBe('it’s $HOME; `date`');
});

test('stops at the first failed command', async () => {
  const dir = createTempDir();
  await writeScript(
    [[{ dir: 'only', commands: [['false'], ['touch', 'later']] }], [{ dir: 'next', commands: [['touch', 'never']] }]],
    dir,
    2,
  );
  expect(() => execFileSync('sh', [join(dir, 'run.sh')], { stdio: 'pipe' })).toThrow();
  expect(() => readFileSync(join(dir, 'only', 'later'))).toThrow();
  expect(() => readFileSync(join(dir, 'next', 'never'))).toThrow();
});
