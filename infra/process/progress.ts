/** Reports a line to the user. */
export type ProgressReporter = (line: string) => void;

/** Runs a step of a start and reports it with its duration: `started MinIO and NATS (2.1 s)`. */
export async function reportStep<T>(progress: ProgressReporter, done: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  progress(`${done} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  return result;
}

/** Width of the progress bar, in characters. */
const BAR_WIDTH = 30;

/** Erases the current line of a terminal. */
export const ERASE_LINE = '\r\x1b[2K';

/**
 * Runs a download and reports its start and its duration. On a terminal, a bar shows the progress.
 * @param bytes Expected size.
 * @param work Performs the download and reports the number of bytes so far.
 * @param terminal Stream of the bar.
 */
export async function reportDownload(
  progress: ProgressReporter,
  name: string,
  bytes: number,
  work: (onProgress: (received: number) => void) => Promise<void>,
  terminal: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): Promise<void> {
  progress(`downloading ${name} (${(bytes / 1e6).toFixed(0)} MB) …`);
  let shown = -1;
  const draw = (received: number): void => {
    const percent = Math.min(100, Math.floor((received / bytes) * 100));
    if (!terminal.isTTY || percent === shown) return;
    shown = percent;
    const filled = '█'.repeat(Math.round((percent / 100) * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
    terminal.write(`${ERASE_LINE}${filled} ${percent} %`);
  };
  await reportStep(progress, `downloaded ${name}`, () =>
    work(draw).finally(() => {
      if (shown >= 0) terminal.write(ERASE_LINE);
    }),
  );
}
