import { expect, it } from 'vitest';
import { ERASE_LINE, reportDownload } from '../../../infra/process/progress.ts';

async function download(isTTY: boolean): Promise<{ lines: string[]; drawn: string[] }> {
  const [lines, drawn]: string[][] = [[], []];
  const terminal = { isTTY, write: (text: string) => Boolean(drawn?.push(text)) };
  const work = (onProgress: (received: number) => void): Promise<void> => {
    for (const received of [1_000_000, 1_000_001, 3_000_000]) onProgress(received);
    return Promise.resolve();
  };
  await reportDownload((line) => lines?.push(line), 'tiny', 2_000_000, work, terminal);
  return { lines: lines ?? [], drawn: drawn ?? [] };
}

it('draws a bar on a terminal, once per percent, and erases it', async () => {
  const { lines, drawn } = await download(true);
  expect(lines).toEqual(['downloading tiny (2 MB) …', expect.stringMatching(/^downloaded tiny \(\d+\.\d s\)$/)]);
  expect(drawn).toEqual([
    `${ERASE_LINE}${'█'.repeat(15)}${'░'.repeat(15)} 50 %`,
    `${ERASE_LINE}${'█'.repeat(30)} 100 %`,
    ERASE_LINE,
  ]);
});

it('reports one line per step without a terminal', async () => {
  const { lines, drawn } = await download(false);
  expect([lines.length, drawn]).toEqual([2, []]);
});
