import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { formatBytes, formatDuration } from '../../output/format.ts';
import { parseArtifactKey, readProvenance, type ProvenanceStep } from '../../../shared/results/provenance.ts';
import { wrap } from '../../../shared/core/text.ts';

/** Prints the provenance of an artifact. */
export async function provenance(
  cli: CliContext,
  first: string,
  path: string | undefined,
  { json = false }: { json?: boolean },
): Promise<number> {
  return withStore(cli, async (store) => {
    const steps = await readProvenance(store, parseArtifactKey(store.bucket, first, path));
    if (json) cli.stdout.write(`${toJson(steps, 2)}\n`);
    else steps.forEach((step, depth) => formatStep(step, depth, cli.stdout).forEach(cli.stdout.line));
    return exitCodes.ok;
  });
}

/** Width of the column of names. */
const NAME_WIDTH = 9;

/** Formats a step, indented by its distance from the artifact. */
export function formatStep(step: ProvenanceStep, depth: number, { columns, style }: Pick<Output, 'columns' | 'style'>): string[] {
  const { key, etag, size, sha256, made_by: receipt, replaced } = step;
  const indent = '  '.repeat(depth);
  const path = key.split('/').slice(2).join('/');
  const facts: [string, string][] = [
    ['content', `${formatBytes(size)}, etag ${etag}`],
    ...(sha256 === undefined ? [] : [['sha256', sha256] as [string, string]]),
    ...(replaced ? [['now', `replaced, etag ${replaced.etag}`] as [string, string]] : []),
    ...(receipt ? formatReceipt(receipt) : []),
  ];
  const space = Math.max(20, columns - indent.length - 4 - NAME_WIDTH);
  return [
    `${indent}${depth === 0 ? '' : '← '}${style('bold', path)}`,
    ...facts.flatMap(([name, text]) =>
      wrap(breakLongWords(text, space), space).map(
        (line, n) => `${indent}    ${style('dim', (n === 0 ? name : '').padEnd(NAME_WIDTH))}${line}`,
      ),
    ),
  ];
}

/** Inserts spaces into long words: ffmpeg filters are longer than a line. */
function breakLongWords(text: string, width: number): string {
  return text.replace(new RegExp(`\\S{${width}}(?=\\S)`, 'g'), '$& ');
}

function formatReceipt(receipt: NonNullable<ProvenanceStep['made_by']>): [string, string][] {
  const { stage, version, item, run, config, tools, models, host, started, duration_ms, reused } = receipt;
  const formatPairs = (values: object): string =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ');
  return [
    ['made by', `${stage} version ${version}, item ${item}${run === undefined ? '' : `, run ${run}`}`],
    ...(reused === undefined ? [] : [['copied', `from request ${reused} (memo)`] as [string, string]]),
    ...(formatPairs(config) === '' ? [] : [['config', formatPairs(config)] as [string, string]]),
    ...tools.map(({ command, args, duration_ms: duration }): [string, string] => [
      'tool',
      `${[command, ...args].join(' ')} (${formatDuration(duration)})`,
    ]),
    ...(formatPairs(models) === '' ? [] : [['models', formatPairs(models)] as [string, string]]),
    ['on', `${host}, ${started}, in ${formatDuration(duration_ms)}`],
  ];
}
