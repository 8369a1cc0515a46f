/** Generates the tables of the documentation from the code, for `npm run generate`. With `--check`, fails if a page is outdated. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { coresOf, regimeNames, regimeSettings } from '../infra/deployment/regimes.ts';
import { graph } from '../services/pipeline.ts';
import { environmentSchema, settingVariable } from '../shared/config/config.ts';
import { errorAreas } from '../shared/core/error-codes.ts';
import { logEvents } from '../shared/observability/log.ts';
import type { OptionSchemas } from '../shared/core/options.ts';
import { createOutput } from './context/cli.ts';
import { createProgram } from './program.ts';

const root = new URL('../', import.meta.url);

/** Formats a Markdown table; the first row is its head. */
const table = ([head = [], ...rows]: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Returns the table of request options. */
function optionsTable(): string {
  const owners = (option: string): string =>
    graph.stages
      .filter(({ options = {} }) => option in options)
      .map(({ name }) => name)
      .join(', ') || 'the request';
  const rows = Object.entries(graph.options).map(([name, { default: value, description }]) => [
    `\`${name}\``,
    owners(name),
    `\`${JSON.stringify(value)}\``,
    description,
  ]);
  return table([['option', 'used by', 'default', 'meaning'], ...rows]);
}

/** Returns the table of log events. */
function eventsTable(): string {
  return table([['event', 'meaning'], ...Object.entries(logEvents).map(([event, meaning]) => [`\`${event}\``, meaning])]);
}

/** Returns the table of environment variables: common ones first, then those of each stage. */
function environmentTable(): string {
  const rows = (of: string, schemas: OptionSchemas, variable = (name: string) => name): string[][] =>
    Object.entries(schemas).map(([name, { default: value, description }]) => [
      `\`${variable(name)}\``,
      of,
      name === 'FAVE_TMPDIR' ? 'the system’s' : value === '' ? '' : `\`${String(value)}\``,
      description,
    ]);
  return table([
    ['variable', 'used by', 'default', 'meaning'],
    ...rows('all', environmentSchema),
    ...graph.stages.flatMap(({ name, settings = {} }) => rows(name, settings, settingVariable)),
  ]);
}

/** Returns the table of regimes, with one row per stage. */
function regimesTable(): string {
  const settings = regimeNames.map((regime) => regimeSettings(regime, graph).stages);
  const rows = graph.stages.map(({ name }) => {
    const of = settings.flatMap((stages) => stages[name] ?? []);
    return [
      name,
      of[0]?.lag_target ?? 0,
      of[0]?.memory_mb ?? 0,
      coresOf(name),
      ...of.map(({ min, max, idle_s }) => `${min}–${max}, ${idle_s} s`),
    ];
  });
  return table([['stage', 'lag target', 'memory (MB)', 'cores', ...regimeNames], ...rows]);
}

/** Returns a section per area of the error registry. */
function errorTables(): string {
  return Object.entries(errorAreas)
    .map(([area, codes]) => {
      const rows = Object.entries<readonly [string, string]>(codes).map(([code, [errorClass, advice]]) => [
        `\`${code}\``,
        errorClass,
        advice,
      ]);
      return `## ${area}\n\n${table([['code', 'class', 'advice'], ...rows])}`;
    })
    .join('\n\n');
}

/** Returns the table of commands. */
function commandsTable(): string {
  const nobody = createOutput(process.stdout, {});
  const cli = { stdout: nobody, stderr: nobody, env: {}, cwd: '.', signal: new AbortController().signal };
  const rows = (command: Command, before = ''): string[][] => {
    if (command.commands.length > 0) return command.commands.flatMap((each) => rows(each, `${before}${command.name()} `));
    const call = before + command.createHelp().subcommandTerm(command).replace(' [options]', '');
    return [[`\`${call}\``, command.options.map(({ long }) => `\`${long ?? ''}\``).join(' '), command.description()]];
  };
  return table([['command', 'options', 'description'], ...rows(createProgram(cli, () => undefined))]);
}

/** Returns the source of the stage that the documentation quotes, without its imports. */
async function quotedStage(): Promise<string> {
  const read = async (file: string, from: string): Promise<string> => {
    const source = await readFile(new URL(`services/stage-ffmpeg-0/${file}`, root), 'utf8');
    return `// ${file}\n${source.slice(source.indexOf(from)).trimEnd()}`;
  };
  return `\`\`\`ts\n${await read('stage.ts', '/**')}\n\n${await read('run.ts', 'export')}\n\`\`\``;
}

const pages: readonly [page: string, mark: string, text: string][] = [
  ['docs/cli.md', 'commands', commandsTable()],
  ['docs/options.md', 'options', optionsTable()],
  ['docs/error-codes.md', 'codes', errorTables()],
  ['docs/environment.md', 'environment', environmentTable()],
  ['docs/observability.md', 'events', eventsTable()],
  ['docs/regimes.md', 'regimes', regimesTable()],
  ['docs/adding-a-stage.md', 'stage', await quotedStage()],
];

for (const [page, mark, text] of pages) {
  const url = new URL(page, root);
  const before = await readFile(url, 'utf8');
  const place = new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(<!-- /${mark} -->)`);
  if (!place.test(before)) throw new Error(`${page} lacks the marker ${mark}`);
  const after = before.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
  if (after === before) continue;
  if (process.argv.includes('--check')) {
    console.error(`${page} is outdated: run \`npm run generate\` and commit the result.`);
    process.exitCode = 1;
  } else await writeFile(url, after);
}
