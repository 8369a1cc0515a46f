import { PermanentError } from '../../shared/core/errors.ts';
import type { RateStep } from './poisson.ts';

/**
 * Parses a recorded rate: CSV with the header `time,rps` and one step per line, with ascending times from 0. The last time is the end.
 * @throws PermanentError `invalid-trace` with the line number.
 */
export function parseTrace(text: string): { steps: RateStep[]; duration: number } {
  const numbered = text.split(/\r?\n/).map((line, n) => ({ line, number: n + 1 }));
  const [header, ...lines] = numbered.filter(({ line }) => line.trim() !== '');
  if (header?.line.replace(/[\s\ufeff]/g, '') !== 'time,rps') throw invalid(header?.number ?? 1, 'the header must be time,rps');
  const steps = lines.map(({ line, number }) => {
    const [from = NaN, rate = NaN, ...more] = line.split(',').map((cell) => (cell.trim() === '' ? NaN : Number(cell)));
    if (more.length > 0 || !Number.isFinite(from) || !(rate >= 0 && rate < Infinity))
      throw invalid(number, `"${line}" is not a time and a rate of at least 0`);
    return { from, rate, number };
  });
  steps.forEach(({ from, number }, n) => {
    const before = steps[n - 1]?.from;
    if (before === undefined ? from !== 0 : from <= before) throw invalid(number, 'times must start at 0 and ascend');
  });
  const duration = steps.at(-1)?.from ?? 0;
  if (duration === 0) throw invalid(2, 'a trace needs at least two lines: a rate and the end');
  if (steps.every(({ rate }) => rate === 0)) throw invalid(2, 'every rate is 0');
  return { steps: steps.slice(0, -1).map(({ from, rate }) => ({ from, rate })), duration };
}

function invalid(line: number, problem: string): PermanentError {
  return new PermanentError('invalid-trace', `line ${line} of the trace: ${problem}`);
}
