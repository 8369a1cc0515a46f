import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import { WAIT } from '../shared/runtime/harness.ts';
import { onTestFileEnd, type Stack } from '../support/stack.ts';
import type { Phase } from './fixture/graph.ts';

/** The mint in a process of its own. */
export interface Mint {
  readonly pid: number;
  /** Waits for a line that it logs. */
  logged(event: string): Promise<Record<string, unknown>>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

const programDir = mkdtempSync(join(tmpdir(), 'fave-mint-program-'));

/** Where the mint's items have their directories. */
export const itemsDir = mkdtempSync(join(tmpdir(), 'fave-mint-'));

onTestFileEnd(() => {
  for (const dir of [itemsDir, programDir]) rmSync(dir, { recursive: true, force: true });
});

let program: Promise<string> | undefined;

/** Starts the mint and waits until it takes items. @param phase Where it stands still. */
export async function startMint(
  stack: Pick<Stack, 'environment'>,
  { phase, env = {} }: { phase?: Phase; env?: Record<string, string> } = {},
): Promise<Mint> {
  const child = spawn(process.execPath, [await (program ??= bundled()), ...(phase === undefined ? [] : [phase])], {
    env: {
      PATH: process.env['PATH'],
      TMPDIR: process.env['TMPDIR'],
      ...stack.environment,
      FAVE_ACK_WAIT_SECONDS: '1',
      FAVE_TMPDIR: itemsDir,
      FAVE_GRACE_SECONDS: '10',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const mint: Mint = {
    pid: child.pid ?? 0,
    logged: (event) =>
      vi.waitUntil<Record<string, unknown> | undefined>(() => lines.find((line) => line['event'] === event), WAIT),
    kill: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
  onTestFileEnd(() => mint.kill('SIGKILL'));
  await mint.logged('service:ready');
  return mint;
}

async function bundled(): Promise<string> {
  await bundle({ worker: join(import.meta.dirname, 'fixture', 'worker.ts') }, programDir);
  return join(programDir, 'worker.mjs');
}
