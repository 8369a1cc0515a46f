/** Draws text from standard input as a terminal window: `npm run demo 2>&1 | node scripts/terminal-svg.ts > docs/demo.svg`. */
import { text } from 'node:stream/consumers';

const COLUMN_PX = 8.4;
const LINE_PX = 20;
const PADDING_PX = 16;
const TITLE_PX = 28;

const escapeXml = (line: string): string => line.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

const lines = (await text(process.stdin)).trimEnd().split('\n');
const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * COLUMN_PX) + 2 * PADDING_PX;
const height = lines.length * LINE_PX + TITLE_PX + 2 * PADDING_PX;
const colorOf = (line: string): string => (line.startsWith('$ ') ? '#7ee787' : '#e6edf3');
const dots = ['#ff5f56', '#ffbd2e', '#27c93f'].map(
  (fill, index) => `<circle cx="${20 + index * 20}" cy="16" r="6" fill="${fill}"/>`,
);
const rows = lines.map(
  (line, index) =>
    `<text x="${PADDING_PX}" y="${TITLE_PX + PADDING_PX + (index + 0.7) * LINE_PX}" fill="${colorOf(line)}">${escapeXml(line)}</text>`,
);
process.stdout.write(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...dots,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...rows,
    `</g>`,
    `</svg>`,
    '',
  ].join('\n'),
);
