/** The report of a study. */
import { compareAll, type Comparison } from '../measures/compare.ts';
import type { Drawing } from '../figures/draw.ts';
import type { Finding } from '../findings/finding.ts';
import { findFindings } from '../findings/findings.ts';
import { createPublishedTable } from '../tables/published-results.ts';
import { comparePlatforms } from '../tables/platforms.ts';
import type { PlatformStudy, Study } from '../data/study.ts';
import type { Table } from '../tables/table.ts';
import {
  createColdTable,
  createCostTable,
  createLatencyTable,
  createStageTable,
  createTestTable,
  createTimeoutTable,
} from '../tables/tables.ts';
import { findDataProblems } from './checks.ts';
import { figure, heading, list, paragraph, table, type Block } from './document.ts';
import { createAnomalyTable, createBrokenTable, createEnvironmentTable, createRegimeTable } from './environment.ts';
import { declined, method, threats } from './texts.ts';

export const TITLE = 'FAVE: effect of regimes on latency, cold starts and cost';

/** Creates the report as blocks. Each table and figure of the study is in one block. */
export function createReport(study: Study, drawings: readonly Drawing[]): Block[] {
  const compared = study.platforms.flatMap(({ conditions }) => conditions.flatMap(({ runs }) => runs));
  const finished = [...compared, ...study.saturation.flatMap(({ runs }) => runs)];
  const results = study.platforms.map((platform) => ({ platform, comparisons: compareAll(platform) }));
  return [
    heading(1, TITLE),
    paragraph(`From ${finished.length} finished and ${study.broken.length} broken cells.`),
    ...results.flatMap(findingBlocks),
    heading(2, 'Method'),
    ...method.map(paragraph),
    heading(2, 'Environment'),
    ...tableUnlessEmpty(createEnvironmentTable(finished)),
    ...tableUnlessEmpty(createRegimeTable(finished)),
    ...results.flatMap((result) => resultBlocks(result, drawings)),
    ...coldPartBlocks(drawings),
    ...platformBlocks(study),
    ...saturationBlocks(study),
    heading(2, 'Published results of the original system'),
    paragraph(
      'The original results were published without repeats and with another set-up. They are listed for reference; the report draws no conclusions from them.',
    ),
    ...study.platforms.slice(0, 1).map((platform) => table(createPublishedTable(platform))),
    heading(2, 'AWS Lambda'),
    paragraph(declined),
    heading(2, 'Threats to validity'),
    list([...threats, ...findDataProblems(finished)]),
    heading(2, 'Broken cells and anomalies'),
    ...(study.broken.length === 0 ? [paragraph('No cell is broken.')] : [table(createBrokenTable(study.broken))]),
    ...tableUnlessEmpty(createAnomalyTable(finished)),
  ];
}

interface Result {
  readonly platform: PlatformStudy;
  readonly comparisons: readonly Comparison[];
}

function findingBlocks({ platform, comparisons }: Result): Block[] {
  const findings = findFindings(platform, comparisons);
  const blocks = (question: 2 | 3, title: string): Block[] => [
    heading(3, title),
    ...findings.filter((finding) => finding.question === question).flatMap(findingBlock),
  ];
  return [
    heading(2, `Findings, ${platform.platform}`),
    ...blocks(2, 'Effect of min and max replicas and the idle timeout on latency and cold starts (RQ2)'),
    ...blocks(3, 'Trade-offs and guidelines (RQ3)'),
  ];
}

function findingBlock({ title, supported, sentences, figure: of, table: numbers }: Finding): Block[] {
  const verdict = supported ? '' : ' (not supported by the data)';
  return [paragraph(`${title}${verdict}. See figure ${of} and table ${numbers}.`), list(sentences)];
}

function resultBlocks({ platform, comparisons }: Result, drawings: readonly Drawing[]): Block[] {
  const name = platform.platform;
  const own = drawings.filter((drawing) => drawing.name.endsWith(`-${name}`)).map(figure);
  const tables = [
    createLatencyTable(platform.conditions, `latency-${name}`),
    createCostTable(platform),
    createColdTable(platform),
    createStageTable(platform),
    createTimeoutTable(platform),
    createTestTable(comparisons, name),
  ];
  return [heading(2, `Results, ${name}`), ...own, ...tables.map(table)];
}

function coldPartBlocks(drawings: readonly Drawing[]): Block[] {
  return drawings.filter(({ name }) => name === 'cold-start-parts').map(figure);
}

function platformBlocks({ platforms }: Study): Block[] {
  const [local, kubernetes] = (['local', 'kubernetes'] as const).map((name) =>
    platforms.find(({ platform }) => platform === name),
  );
  if (!local || !kubernetes) return [];
  const { sentences, table: numbers } = comparePlatforms(local, kubernetes);
  return [heading(2, 'Cold starts, local and under KEDA'), list(sentences), ...tableUnlessEmpty(numbers)];
}

function saturationBlocks({ saturation }: Study): Block[] {
  if (saturation.length === 0) return [];
  return [
    heading(2, 'Saturation'),
    paragraph(
      'A saturation load exceeds the capacity of the pipeline. “completed per minute” shows the capacity. Latencies grow with the duration of the load and are not compared.',
    ),
    table(createLatencyTable(saturation, 'saturation', 'Saturation')),
  ];
}

const tableUnlessEmpty = (content: Table): Block[] => (content.rows.length === 0 ? [] : [table(content)]);
