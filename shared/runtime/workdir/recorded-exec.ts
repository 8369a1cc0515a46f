import { basename } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Exec } from '../../tools/exec.ts';
import { ToolError } from '../../tools/tool-error.ts';
import { startSpan } from '../../observability/trace.ts';
import type { Metrics } from '../service/metrics.ts';
import { millisecondsSince, type StageRun } from './stage-run.ts';
import type { Workdir } from './workdir.ts';

/** Result of a tool run. `aborted`: the attempt ended first. */
export const toolResults = ['ok', 'failed', 'timeout', 'limit', 'missing', 'aborted'] as const;
type ToolResult = (typeof toolResults)[number];

/** Values of the metric's label `tool`. Every other program counts as `other`, which bounds the number of time series. */
export const toolNames = ['ffmpeg', 'ffprobe', 'pocketsphinx_batch', 'node', 'other'] as const;

/** Returns an `exec` that runs tools in the working directory, records them for the receipt, and measures and traces them. */
export function createRecordedExec(
  { record, abort, span }: StageRun,
  { dir, disk }: Workdir,
  { exec, metrics }: { readonly exec: Exec; readonly metrics: Pick<Metrics, 'tools'> },
): Exec {
  return async (command, args, options = {}) => {
    const startedAt = performance.now();
    const tool = toolNames.find((name) => name === basename(command)) ?? 'other';
    const toolSpan = startSpan(tool, span.traceparent);
    let failure: unknown;
    try {
      const result = await exec(command, args, { cwd: dir, signal: abort.signal, ...options });
      await disk.assertWritten(result.stderr);
      return result;
    } catch (error) {
      failure = error;
      // Also here, because a stage may catch the error of a failed tool.
      throw await disk.explainError(error);
    } finally {
      const result = failure === undefined ? 'ok' : resultOf(failure);
      metrics.tools.inc({ tool, result });
      // The directory's name differs between runs, so the receipt does not contain it.
      const recordedArgs = args.map((arg) => arg.replaceAll(dir, '.'));
      record.tools.push({ command, args: recordedArgs, duration_ms: millisecondsSince(startedAt) });
      toolSpan.end(
        { 'fave.tool.args': recordedArgs.join(' '), 'fave.tool.result': result },
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
