import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { buildOnce } from '../process/build-cache.ts';
import { cacheDir, root } from '../process/paths.ts';
import type { ProgressReporter } from '../process/progress.ts';

const run = promisify(execFile);

/** Name of the program in the cache and on PATH. */
const NAME = 'whisper-server';

/** Release of whisper.cpp in the package that build-whisper-server.sh downloads. */
export const WHISPER_VERSION = '1.9.1';

/** Maximum output of the build, mostly compiler warnings (bytes). */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Returns the path of the server on PATH or in the cache, or `undefined` if neither exists. */
export function findWhisperServer(path = process.env['PATH'] ?? ''): string | undefined {
  return [...path.split(delimiter).map((directory) => join(directory, NAME)), cachedWhisperServer()].find(existsSync);
}

/**
 * Returns whisper.cpp's server. Unless it exists, it is built from source into the cache, once per machine.
 * @throws PermanentError `server-build-failed` if the sources, cmake or a C++ compiler are missing.
 */
export async function ensureWhisperServer(progress: ProgressReporter, signal?: AbortSignal): Promise<string> {
  const make = async (scratch: string): Promise<string> => {
    // The local build uses all instructions of this processor.
    const args = [join(root, 'infra/servers/build-whisper-server.sh'), scratch, '-DBUILD_SHARED_LIBS=OFF', '-DGGML_NATIVE=ON'];
    await run('sh', args, { maxBuffer: MAX_OUTPUT_BYTES, signal }).catch((error: unknown) => {
      const { stderr = '' } = error as { stderr?: string };
      const reason = stderr.trim().split('\n').at(-1) || messageOf(error);
      throw new PermanentError('server-build-failed', `${NAME} ${WHISPER_VERSION} could not be built: ${reason}`);
    });
    return join(scratch, 'build/bin', NAME);
  };
  const description = `building ${NAME} ${WHISPER_VERSION} from source (takes minutes, once per machine)`;
  return findWhisperServer() ?? buildOnce(cachedWhisperServer(), { description, make }, progress);
}

/** The path contains a hash of the processor's instructions, because a cache may be copied to another machine. */
function cachedWhisperServer(): string {
  const [instructions = ''] = /^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  const hash = createHash('sha256').update(instructions).digest('hex').slice(0, 8);
  return join(cacheDir, 'servers', `${NAME}@${WHISPER_VERSION}-${hash}`, NAME);
}
