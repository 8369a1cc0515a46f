import type { Comparison } from '../measures/compare.ts';
import { formatContrast } from '../tables/tables.ts';
import { magnitude } from '../measures/statistics.ts';
import { format, formatP } from '../tables/table.ts';

/** What the data say to a question, or that they do not. */
export interface Finding {
  /** The plan's research question: 2, latency and cold starts; 3, trade-offs and guidelines. */
  readonly question: 2 | 3;
  readonly title: string;
  /** Whether the data show something. */
  readonly supported: boolean;
  readonly sentences: readonly string[];
  /** Names of the figure and the table with its numbers. */
  readonly figure: string;
  readonly table: string;
}

/** Whether a difference counts as shown: the corrected test and the interval must both say so. */
export function isShown({ significant, contrast, measure }: Comparison): boolean {
  const none = measure.ratio ? 1 : 0;
  return significant && (contrast.low > none || contrast.high < none);
}

/** One comparison as a sentence. */
export function formatContrastSentence(each: Comparison): string {
  const { measure, a, b, load, contrast, delta, corrected } = each;
  const where = load === undefined ? 'Over all loads' : `Under ${load}`;
  const how = measure.ratio
    ? `is ${formatContrast(each)} that of ${a}`
    : `is ${contrast.value < 0 ? 'lower' : 'higher'} than with ${a}: difference ${formatContrast(each)}`;
  return `${where}, ${measure.name} with ${b} ${how} (p ${corrected < 0.001 ? '' : '= '}${formatP(corrected)} corrected, Cliff’s δ ${format(delta, 2)}, ${magnitude(delta)}).`;
}

/** Why nothing is claimed: too few runs, or no difference large enough for so many. */
export function notShown(what: string, family: readonly Comparison[]): string {
  if (family.length === 0) return `The data do not say whether ${what} differs: there is nothing to compare.`;
  const possible = Math.min(...family.map(({ least }) => least)) * family.length;
  const smallest = Math.min(...family.map(({ corrected }) => corrected));
  const why =
    possible > 0.05
      ? 'with so few repeats no test could show one, whatever the data'
      : `smallest corrected p ${formatP(smallest)} in ${family.length} comparisons`;
  return `The data do not show that ${what} differs between regimes: ${why}. That is no proof that it is equal.`;
}

/** What a family of tests says, as a finding. */
export function createContrastFinding(
  what: string,
  family: readonly Comparison[],
  place: Pick<Finding, 'question' | 'title' | 'figure' | 'table'>,
): Finding {
  const shown = family.filter(isShown);
  return {
    ...place,
    supported: shown.length > 0,
    sentences: shown.length > 0 ? shown.map(formatContrastSentence) : [notShown(what, family)],
  };
}
