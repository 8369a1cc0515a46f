import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ProcessRecord } from '../../infra/instance/record.ts';
import { serviceNames } from '../../infra/deployment/services.ts';
import { graph } from '../../services/pipeline.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, roundToMicro } from '../report/figures.ts';
import { withInstance, type Instance } from '../instance/instance.ts';
import { listChildren, readMemory as memoryOf, readProgramName, resetPeakMemory } from '../../loadgen/study/system/proc.ts';
import { processRequest } from '../instance/requests.ts';

const run = promisify(execFile);

/** The only service with a model. */
const MODEL = 'stage-object-detector';

/** Time for garbage collection after start, in ms. */
const SETTLE = 5_000;

/** Polling interval for tools, in ms. The kernel keeps the peak until the process exits, so polling misses only growth at the end. */
const LOOK = 5;

/** Tolerated growth of the peak of a tool, in MB: it varies with the cuts, and polling underestimates tools that run for about 10 ms. */
const NOISE = 50;

/** Data rate of the uncompressed video, in MB per second: 1280 × 720, 12 bit per pixel, 25 frames per second. */
const RATE = (1_280 * 720 * 1.5 * 25) / 1e6;

export const memory: Bench = {
  name: 'memory',
  about: 'resident memory of each service when idle and with an input of n MB, and of each tool with n and n/10 MB',
  n: 2_000,
  async run({ n, progress }) {
    return withInstance({ graph, services: serviceNames(graph), progress }, async (instance) => {
      const services = serviceProcesses(instance.launched.record.processes);
      const idle = await idleOf(services);
      progress(`processing an input of ${n / 10} MB`);
      const small = await peaksWith(instance, services, n / 10);
      progress(`processing an input of ${n} MB`);
      const large = await peaksWith(instance, services, n);

      await sleep(SETTLE);
      const total = totalMemory([{ pid: process.pid }, ...instance.launched.record.processes]);
      const plain = (of: Readonly<Record<string, number>>): number =>
        Math.max(...Object.entries(of).flatMap(([name, mb]) => (name === MODEL ? [] : [mb])));
      const growth = Object.entries(small.tools).map(
        ([tool, mb]) => [tool, roundToMicro((large.tools[tool] ?? 0) - mb)] as const,
      );
      return {
        targets: [
          atMost('idle MB, a process without a model', plain(idle), 160),
          atMost('idle MB after the work, servers, launcher and services', total, 850),
          atMost(`peak MB with ${n} MB, a process without a model`, plain(large.services), 250),
          atMost(`MB that a tool’s peak grows by from ${n / 10} to ${n} MB`, Math.max(...growth.map(([, mb]) => mb)), NOISE),
        ],
        figures: { idle_mb: idle, idle_total_mb: total, small, large, growth_mb: Object.fromEntries(growth) },
      };
    });
  },
};

/** Returns one record per process: services that share a process are named `services`. */
function serviceProcesses(records: readonly ProcessRecord[]): ProcessRecord[] {
  const services = records.filter(({ http }) => http !== undefined);
  const byPid = Map.groupBy(services, ({ pid }) => pid);
  return [...byPid.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, name: others.length === 0 ? first.name : 'services' }] : [],
  );
}

/** Returns the resident memory of several processes, in MB. */
function totalMemory(processes: readonly { readonly pid: number }[]): number {
  const pids = new Set(processes.map(({ pid }) => pid));
  return roundToMicro([...pids].reduce((sum, pid) => sum + memoryOf(pid).rss, 0));
}

/** Measures idle memory by process, after one read of the metrics. */
async function idleOf(services: readonly ProcessRecord[]): Promise<Record<string, number>> {
  for (const { http } of services) await (await fetch(`http://127.0.0.1:${http ?? 0}/metrics`)).text();
  await sleep(SETTLE);
  return Object.fromEntries(services.map(({ name, pid }) => [name, roundToMicro(memoryOf(pid).rss)]));
}

/** Peak memory, in MB. */
interface Peaks {
  readonly services: Record<string, number>;
  /** Peaks by stage and program. */
  readonly tools: Record<string, number>;
  readonly seconds: number;
}

async function peaksWith(instance: Instance, services: readonly ProcessRecord[], megabytes: number): Promise<Peaks> {
  const input = await uncompressed(instance.dataDir, megabytes);
  for (const { pid } of services) resetPeakMemory(pid);
  const tools: Record<string, number> = {};
  const ended = new AbortController();
  const looking = look(services, tools, ended.signal);
  const { took } = await processRequest(instance, input, { speech: 'none' }).finally(() => {
    ended.abort();
  });
  await looking;
  return {
    services: Object.fromEntries(services.map(({ name, pid }) => [name, roundToMicro(memoryOf(pid).peak)])),
    tools,
    seconds: roundToMicro(took / 1_000),
  };
}

/** Records the highest peak of each program that a service runs. */
async function look(services: readonly ProcessRecord[], tools: Record<string, number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { name, pid } of services) {
      for (const tool of listChildren(pid)) {
        const [program, { peak }] = [readProgramName(tool), memoryOf(tool)];
        // Between fork and exec, a child is a copy of its parent.
        if (program && program !== 'node')
          tools[`${name} ${program}`] = roundToMicro(Math.max(peak, tools[`${name} ${program}`] ?? 0));
      }
    }
    await sleep(LOOK);
  }
}

/** Creates a short uncompressed video: large to copy, but quick to encode. */
async function uncompressed(dir: string, megabytes: number): Promise<string> {
  const path = join(dir, `uncompressed-${megabytes}.mkv`);
  const sources = ['testsrc2=s=1280x720:r=25', 'sine=f=440:r=22050'].flatMap((source) => ['-f', 'lavfi', '-i', source]);
  const codecs = ['-c:v', 'rawvideo', '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le'];
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...sources, '-t', String(megabytes / RATE), ...codecs, path]);
  return path;
}
