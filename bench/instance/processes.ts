import { serviceNames } from '../../infra/deployment/services.ts';
import { readTreeCpuTime } from '../../loadgen/study/system/proc.ts';
import { graph } from '../../services/pipeline.ts';
import { roundToMicro } from '../report/figures.ts';
import type { Instance } from './instance.ts';

/** A service or server in its own process. */
export interface MeasuredProcess {
  readonly name: string;
  readonly pid: number;
}

/** Starts each service of FAVE in its own process, so that processor time can be attributed to it. Returns them with the servers. */
export async function startProcesses({ launched }: Instance): Promise<MeasuredProcess[]> {
  const services: MeasuredProcess[] = [];
  for (const name of serviceNames(graph)) {
    const pid = (await launched.startService(name)).current()?.pid;
    if (pid !== undefined) services.push({ name, pid });
  }
  return [...services, ...launched.servers.processes.map(({ name, pid }) => ({ name, pid }))];
}

/** Runs `use` and returns its result, and the processor time that each process and its tools used meanwhile, in seconds by name. */
export async function measureCpu<T>(
  processes: readonly MeasuredProcess[],
  use: () => Promise<T>,
): Promise<{ result: T; cpu: Record<string, number> }> {
  const read = (): number[] => processes.map(({ pid }) => readTreeCpuTime(pid));
  const before = read();
  const result = await use();
  const after = read();
  const cpu = processes.map(({ name }, n) => [name, roundToMicro(((after[n] ?? 0) - (before[n] ?? 0)) / 1_000)] as const);
  return { result, cpu: Object.fromEntries(cpu) };
}
