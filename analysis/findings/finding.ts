import type { Comparison } from '../measures/compare.ts';
import { formatContrast } from '../tables/tables.ts';
import { magnitude } from '../measures/statistics.ts';
import { format, formatP } from '../tables/table.ts';

/** A statement about a research question, or the statement that the data do not support one. */
export interface Finding {
  /** Research question: 2 is about latency and cold starts, 3 about trade-offs and guidelines. */
  readonly question: 2 | 3;
  readonly title: string;
  /** Whether the data support a statement. */
  readonly supported: boolean;
  readonly sentences: readonly string[];
  /** Names of the figure and the table with its numbers. */
  readonly figure: string;
  readonly table: string;
}

/** Position of a finding in the report. */
export type Place = Pick<Finding, 'question' | 'title' | 'figure' | 'table'>;

/** Returns whether a difference is shown: the corrected test is significant and the interval excludes “no difference”. */
export function isShown({ significant, contrast, measure }: Comparison): boolean {
  const none = measure.ratio ? 1 : 0;
  return significant && (contrast.low > none || contrast.high < none);
}

/** Formats one comparison as a sentence. */
function formatContrastSentence(each: Comparison): string {
  const { measure, a, b, load, contrast, delta, corrected } = each;
  const where = load === undefined ? 'Over all loads' : `Under ${load}`;
  const how = measure.ratio
    ? `is ${formatContrast(each)} that of ${a}`
    : `is ${contrast.value < 0 ? 'lower' : 'higher'} than with ${a}: difference ${formatContrast(each)}`;
  return `${where}, ${measure.name} with ${b} ${how} (p ${corrected < 0.001 ? '' : '= '}${formatP(corrected)} corrected, Cliff’s δ ${format(delta, 2)}, ${magnitude(delta)}).`;
}

/** Formats the reason for a missing result: too few repeats, or no sufficiently large difference. */
function notShown(measure: string, family: readonly Comparison[]): string {
  if (family.length === 0) return `The data contain no pair of regimes to compare for ${measure}.`;
  const possible = Math.min(...family.map(({ least }) => least)) * family.length;
  const smallest = Math.min(...family.map(({ corrected }) => corrected));
  const why =
    possible > 0.05
      ? 'the number of repeats is too small for any test to show a difference'
      : `smallest corrected p ${formatP(smallest)} in ${family.length} comparisons`;
  return `The data do not show that ${measure} differs between regimes: ${why}. This does not prove that it is equal.`;
}

/** Creates a finding from its sentences. @param otherwise Sentence for a finding without any, which is not supported. */
export function createFinding(place: Place, sentences: readonly string[], otherwise: string): Finding {
  const supported = sentences.length > 0;
  return { ...place, supported, sentences: supported ? sentences : [otherwise] };
}

/** Creates the finding of a family of tests. */
export function createContrastFinding(measure: string, family: readonly Comparison[], place: Place): Finding {
  return createFinding(place, family.filter(isShown).map(formatContrastSentence), notShown(measure, family));
}
