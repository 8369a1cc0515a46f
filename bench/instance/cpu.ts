import { listChildren, readCpuTime } from '../../loadgen/study/system/proc.ts';

/** Returns the processor time of a process, of its running descendants and of those that have exited, in ms. */
export function readTreeCpuTime(pid: number): number {
  return listChildren(pid).reduce((sum, child) => sum + readTreeCpuTime(child), readCpuTime(pid, { withChildren: true }));
}
