import { basename } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { exec, ToolError, type Exec } from '../../tools/exec.ts';
import { startSpan } from '../../observability/trace.ts';
import { millisecondsSince, type Attempt } from '../attempt/attempt.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Workdir } from './run-stage.ts';

/** How a tool may end; `aborted`: its item was not to go on. */
export const toolResults = ['ok', 'failed', 'timeout', 'limit', 'missing', 'aborted'] as const;
type ToolResult = (typeof toolResults)[number];

/** Tools that are told apart by the metric; others count as `other`. */
export const toolNames = ['ffmpeg', 'ffprobe', 'pocketsphinx_batch', 'node', 'other'] as const;

/** Runs tools in the item's directory, keeps what was run for the receipt, and measures it. */
export function createRecordedExec(attempt: Attempt, { dir, disk }: Workdir, metrics: Pick<Metrics, 'tools'>): Exec {
  const { tools, abort, span } = attempt;
  return async (command, args, options = {}) => {
    const begun = performance.now();
    const tool = toolNames.find((name) => name === basename(command)) ?? 'other';
    const run = startSpan(tool, span.traceparent);
    let failure: unknown;
    try {
      const result = await exec(command, args, { cwd: dir, signal: abort.signal, ...options });
      await disk.assertWritten(result.stderr);
      return result;
    } catch (error) {
      failure = error;
      // Here, too: a stage may make do with what a failed tool left.
      throw await disk.explainError(error);
    } finally {
      const result = failure === undefined ? 'ok' : resultOf(failure);
      metrics.tools.inc({ tool, result });
      // The directory's name says nothing and differs from run to run.
      const said = args.map((arg) => arg.replaceAll(dir, '.'));
      tools.push({ command, args: said, duration_ms: millisecondsSince(begun) });
      run.end(
        { 'fave.tool.args': said.join(' '), 'fave.tool.result': result },
        failure === undefined ? undefined : messageOf(failure),
      );
    }
  };
}

function resultOf(error: unknown): ToolResult {
  if (!(error instanceof ToolError)) return 'aborted';
  const results: Record<string, ToolResult> = { 'tool-timeout': 'timeout', 'tool-limit': 'limit', 'tool-missing': 'missing' };
  return results[error.code] ?? 'failed';
}
