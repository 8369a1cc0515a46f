/** A report as a list of blocks, with formatters for Markdown and HTML. */
import type { Drawing } from '../figures/draw.ts';
import { toMarkdown, type Table } from '../tables/table.ts';

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'figure'; readonly drawing: Drawing };

export const heading = (level: 1 | 2 | 3, text: string): Block => ({ kind: 'heading', level, text });
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items });
export const table = (content: Table): Block => ({ kind: 'table', table: content });
export const figure = (drawing: Drawing): Block => ({ kind: 'figure', drawing });

/** Formats blocks as Markdown. Figures are separate files in `figures/`. */
export function markdown(blocks: readonly Block[]): string {
  return `${blocks.map(markdownOf).join('\n\n')}\n`;
}

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.text}`;
    case 'paragraph':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'table':
      return `**${block.table.title}** (tables/${block.table.name}.csv)\n\n${toMarkdown(block.table).trimEnd()}`;
    case 'figure':
      return `![${block.drawing.title}](figures/${block.drawing.name}.svg)\n\n*${block.drawing.caption}*`;
  }
}

/** Formats blocks as one self-contained HTML page. */
export function html(title: string, blocks: readonly Block[]): string {
  return `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${escaped(title)}</title>\n<style>${style}</style>\n</head>\n<body>\n${blocks.map(htmlOf).join('\n')}\n</body>\n</html>\n`;
}

function htmlOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${escaped(block.text)}</h${block.level}>`;
    case 'paragraph':
      return `<p>${escaped(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${escaped(item)}</li>`).join('\n')}</ul>`;
    case 'table': {
      const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
        `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
      const { name, title, columns, rows } = block.table;
      const body = rows.map((cells) => row(cells, 'td')).join('\n');
      return `<div class="table" id="table-${escaped(name)}"><table><caption>${escaped(title)}</caption>\n<thead>${row(columns, 'th')}</thead>\n<tbody>${body}</tbody></table></div>`;
    }
    case 'figure':
      return `<figure id="figure-${escaped(block.drawing.name)}">${block.drawing.svg}<figcaption>${escaped(block.drawing.caption)}</figcaption></figure>`;
  }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? character);

const style = `
body { font: 16px/1.5 'DejaVu Sans', Verdana, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 0.6rem; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 12px; }
caption { text-align: left; font-weight: bold; font-size: 14px; padding: 0.3rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #888; }
figure { margin: 1.5rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
figcaption { font-size: 13px; color: #555; }
`;
