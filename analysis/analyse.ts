import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawFigures } from './figures/draw.ts';
import { createFigures } from './figures/figures.ts';
import { readCells } from './data/read.ts';
import { html, markdown, type Block } from './report/document.ts';
import { createReport, TITLE } from './report/report.ts';
import { groupCells } from './data/study.ts';
import { toCsv, toMarkdown } from './tables/table.ts';

/**
 * Reads recorded cells and writes tables, figures and the report. Equal records produce equal bytes.
 * @param out Output directory. Its folders `tables` and `figures` are replaced.
 * @returns Paths of the written files, relative to `out`.
 * @throws PermanentError as {@link readCells}.
 */
export async function analyse(directory: string, out: string): Promise<string[]> {
  const study = groupCells(await readCells(directory));
  const blocks = createReport(study, await drawFigures(createFigures(study)));
  const files = new Map<string, string | Uint8Array>([
    ...blocks.flatMap(filesOf),
    ['report.md', markdown(blocks)],
    ['report.html', html(TITLE, blocks)],
  ]);
  for (const folder of ['tables', 'figures']) {
    await rm(join(out, folder), { recursive: true, force: true });
    await mkdir(join(out, folder), { recursive: true });
  }
  for (const [name, content] of files) await writeFile(join(out, name), content);
  return [...files.keys()];
}

function filesOf(block: Block): [string, string | Uint8Array][] {
  if (block.kind === 'figure') {
    const { name, svg, png } = block.drawing;
    return [
      [`figures/${name}.svg`, svg],
      [`figures/${name}.png`, png],
    ];
  }
  if (block.kind !== 'table') return [];
  const { name } = block.table;
  return [
    [`tables/${name}.csv`, toCsv(block.table)],
    [`tables/${name}.md`, toMarkdown(block.table)],
  ];
}
