import type { CliContext, Output } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { bytes, duration, escapeControlCharacters } from '../../output/format.ts';
import { keyOf, provenanceOf, type ProvenanceStep } from '../../../shared/results/provenance.ts';
import { wrap } from '../../../shared/core/text.ts';

/** Prints how an artifact came to be. */
export async function provenance(
  cli: CliContext,
  first: string,
  path: string | undefined,
  { json = false }: { json?: boolean },
): Promise<number> {
  return withStore(cli, async (store) => {
    const steps = await provenanceOf(store, keyOf(store.bucket, first, path));
    if (json) cli.stdout.line(JSON.stringify(steps, undefined, 2));
    else steps.forEach((step, depth) => stepLines(step, depth, cli.stdout).forEach(cli.stdout.line));
    return exitCodes.ok;
  });
}

/** Columns of the facts' names. */
const NAMES = 9;

/** A step for people, indented by its distance from the artifact. */
export function stepLines(step: ProvenanceStep, depth: number, { columns, style }: Pick<Output, 'columns' | 'style'>): string[] {
  const { key, etag, size, sha256, made_by: receipt, replaced } = step;
  const indent = '  '.repeat(depth);
  const path = escapeControlCharacters(key.split('/').slice(2).join('/'));
  const facts: [string, string][] = [
    ['content', `${bytes(size)}, etag ${etag}`],
    ...(sha256 === undefined ? [] : [['sha256', sha256] as [string, string]]),
    ...(replaced ? [['now', `replaced: etag ${replaced.etag}`] as [string, string]] : []),
    ...(receipt ? receiptFacts(receipt) : []),
  ];
  const space = Math.max(20, columns - indent.length - 4 - NAMES);
  return [
    `${indent}${depth === 0 ? '' : '← '}${style('bold', path)}`,
    ...facts.flatMap(([name, text]) =>
      wrap(breakable(escapeControlCharacters(text), space), space).map(
        (line, n) => `${indent}    ${style('dim', (n === 0 ? name : '').padEnd(NAMES))}${line}`,
      ),
    ),
  ];
}

/** Filters and lists of formats have no spaces, and are longer than a line. */
function breakable(text: string, width: number): string {
  return text.replace(new RegExp(`\\S{${width}}(?=\\S)`, 'g'), '$& ');
}

function receiptFacts(receipt: NonNullable<ProvenanceStep['made_by']>): [string, string][] {
  const { stage, version, item, run, config, tools, models, host, started, duration_ms, reused } = receipt;
  const pairs = (values: object): string =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ');
  return [
    ['made by', `${stage} version ${version}, item ${item}${run === undefined ? '' : `, run ${run}`}`],
    ...(reused === undefined ? [] : [['copied', `from equal work for request ${reused}`] as [string, string]]),
    ...(pairs(config) === '' ? [] : [['config', pairs(config)] as [string, string]]),
    ...tools.map(({ command, args, duration_ms: took }): [string, string] => [
      'tool',
      `${[command, ...args].join(' ')} (${duration(took)})`,
    ]),
    ...(pairs(models) === '' ? [] : [['models', pairs(models)] as [string, string]]),
    ['on', `${host}, ${started}, in ${duration(duration_ms)}`],
  ];
}
