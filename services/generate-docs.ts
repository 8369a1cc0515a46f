/** Makes what the docs say of the code from the code (`npm run generate`); with `--check`, fails where what is committed differs. */
import { readFile, writeFile } from 'node:fs/promises';
import { logEvents } from '../shared/log.ts';
import { graph } from './pipeline.ts';

const root = new URL('../', import.meta.url);

/** The table of a request's options. */
function optionsTable(): string {
  const owners = (option: string): string =>
    graph.stages
      .filter(({ options = {} }) => option in options)
      .map(({ name }) => name)
      .join(', ') || 'the request';
  const rows = Object.entries(graph.options).map(
    ([name, { default: value, description }]) =>
      `| \`${name}\` | ${owners(name)} | \`${JSON.stringify(value)}\` | ${description} |`,
  );
  return ['| option | of | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** What is logged. */
function eventsTable(): string {
  const rows = Object.entries(logEvents).map(([event, meaning]) => `| \`${event}\` | ${meaning} |`);
  return ['| event | meaning |', '| --- | --- |', ...rows].join('\n');
}

/** The stage that the README quotes, without its imports. */
async function quotedStage(): Promise<string> {
  const source = await readFile(new URL('services/stage-ffmpeg-0/stage.ts', root), 'utf8');
  return `\`\`\`ts\n${source.slice(source.indexOf('/**')).trimEnd()}\n\`\`\``;
}

const pages: readonly [page: string, mark: string, text: string][] = [
  ['docs/options.md', 'options', optionsTable()],
  ['docs/observability.md', 'events', eventsTable()],
  ['README.md', 'stage', await quotedStage()],
];

for (const [page, mark, text] of pages) {
  const url = new URL(page, root);
  const before = await readFile(url, 'utf8');
  const after = before.replace(
    new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(\n<!-- /${mark} -->)`),
    (_, begin: string, end: string) => `${begin}\n${text}\n${end}`,
  );
  if (after === before) continue;
  if (process.argv.includes('--check')) {
    console.error(`${page} does not say what the code says: run \`npm run generate\` and commit the result.`);
    process.exitCode = 1;
  } else await writeFile(url, after);
}
