import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../infra/process/paths.ts';
import { mediaFolder } from '../../support/media.ts';

it('writes no telemetry to the home and temporary directories', () => {
  const home = mkdtempSync(join(mediaFolder(), 'onnx-'));
  const program = `import { loadOnnxModel } from './shared/onnx/session.ts';
import { shippedModelPath } from './shared/onnx/shipped-model.ts';
await loadOnnxModel(shippedModelPath('voice-encoder.onnx'));`;
  // Neither the variable nor `CI`, which disables the telemetry too.
  const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: home };
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, env });
  expect(readdirSync(home)).toEqual([]);
});
