import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Timeout for the exit of a stopped process on a loaded machine, in ms. */
const EXIT = 5_000;

/** Checks that a run left no orphans. @throws Error with the files in its temporary directory and the processes that use it. */
export async function assertNoLeaks(dir: string): Promise<void> {
  const deadline = Date.now() + EXIT;
  let processes = await processesOf(dir);
  while (processes.length > 0 && Date.now() < deadline) {
    await sleep(100);
    processes = await processesOf(dir);
  }
  const leaks = [...(await readdir(dir)).map((name) => `file ${join(dir, name)}`), ...processes];
  if (leaks.length > 0) throw new Error(`the tests left behind: ${leaks.join('; ')}`);
}

/** Finds processes with the directory in their arguments or environment (on Linux; none on other systems). */
async function processesOf(dir: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const [args, environment, status] = await Promise.all([read('cmdline'), read('environ'), read('stat')]);
      // Workers of vitest have the directory as TMPDIR; vitest stops them.
      const own = status.split(') ').at(-1)?.split(' ')[1] === String(process.pid);
      return !own && `${args}${environment}`.includes(dir) ? [`process ${pid} (${args.replaceAll('\0', ' ').trim()})`] : [];
    }),
  );
  return found.flat();
}
